package org.longspan.jobs.kubernetes;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpsConfigurator;
import com.sun.net.httpserver.HttpsServer;
import io.fabric8.kubernetes.api.model.Node;
import io.fabric8.kubernetes.api.model.NodeBuilder;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyStore;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import org.longspan.jobs.Waiting;

/** What an API server asks of the kubelet of a pod's node where a user wants the pod's log. */
final class LogKubelet implements AutoCloseable {
  private static final String NAME = "node";
  private static final String PASSWORD = "of a test";

  private final HttpsServer server;
  private final ExecutorService threads = Executors.newCachedThreadPool();
  private final Log log;

  private LogKubelet(HttpsServer server, Log log) {
    this.server = server;
    this.log = log;
  }

  /** What pods write. Thread-safe. */
  interface Log {
    /**
     * Writes what a pod has written.
     *
     * @param toItsEnd and then what it writes until it ends
     */
    void copy(String pod, boolean toItsEnd, OutputStream to)
        throws IOException, InterruptedException;
  }

  static LogKubelet start(Path folder, Log log) throws Exception {
    InetSocketAddress anyPort = new InetSocketAddress(InetAddress.getLoopbackAddress(), 0);
    LogKubelet kubelet = new LogKubelet(HttpsServer.create(anyPort, 0), log);
    kubelet.server.setHttpsConfigurator(new HttpsConfigurator(certificate(folder)));
    kubelet.server.setExecutor(kubelet.threads);
    kubelet.server.createContext("/containerLogs/", kubelet::answer);
    kubelet.server.start();
    return kubelet;
  }

  /** The node that it is the kubelet of. */
  Node node(String name) {
    return new NodeBuilder()
        .withNewMetadata()
        .withName(name)
        .endMetadata()
        .withNewStatus()
        .addNewAddress(server.getAddress().getAddress().getHostAddress(), "InternalIP")
        .withNewDaemonEndpoints()
        .withNewKubeletEndpoint(server.getAddress().getPort())
        .endDaemonEndpoints()
        .endStatus()
        .build();
  }

  private void answer(HttpExchange exchange) throws IOException {
    String query = String.valueOf(exchange.getRequestURI().getQuery());
    exchange.getResponseHeaders().add("Content-Type", "text/plain");
    exchange.sendResponseHeaders(200, 0);
    // /containerLogs/NAMESPACE/POD/CONTAINER
    String pod = Path.of(exchange.getRequestURI().getPath()).getName(2).toString();
    try (OutputStream body = exchange.getResponseBody()) {
      log.copy(pod, query.contains("follow=true"), body);
    } catch (InterruptedException closed) {
      Thread.currentThread().interrupt();
    }
  }

  private static SSLContext certificate(Path folder) throws Exception {
    Path file = folder.resolve("kubelet.p12");
    Process keytool =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "keytool").toString(),
                "-genkeypair",
                "-keyalg",
                "RSA",
                "-alias",
                NAME,
                "-dname",
                "CN=" + NAME,
                "-storetype",
                "PKCS12",
                "-keystore",
                file.toString(),
                "-storepass",
                PASSWORD)
            .redirectErrorStream(true)
            .redirectOutput(folder.resolve("keytool.log").toFile())
            .start();
    if (Waiting.forEnd(keytool) != 0) {
      throw new AssertionError(Files.readString(folder.resolve("keytool.log")));
    }
    KeyStore keys = KeyStore.getInstance("PKCS12");
    try (InputStream stream = Files.newInputStream(file)) {
      keys.load(stream, PASSWORD.toCharArray());
    }
    KeyManagerFactory managers = KeyManagerFactory.getInstance("SunX509");
    managers.init(keys, PASSWORD.toCharArray());
    SSLContext context = SSLContext.getInstance("TLS");
    context.init(managers.getKeyManagers(), null, null);
    return context;
  }

  @Override
  public void close() {
    server.stop(0);
    threads.shutdownNow();
  }
}
