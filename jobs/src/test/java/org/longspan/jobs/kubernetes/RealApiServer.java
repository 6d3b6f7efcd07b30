package org.longspan.jobs.kubernetes;

import io.fabric8.kubernetes.client.Config;
import io.fabric8.kubernetes.client.ConfigBuilder;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientBuilder;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyPairGenerator;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import org.longspan.jobs.Waiting;

/** An etcd and an API server of this machine's loopback, with RBAC on, for as long as a test. */
final class RealApiServer implements AutoCloseable {
  static final String BINARY = "LONGSPAN_KUBE_APISERVER";
  static final String ADMIN = "admin-token";
  static final String SUBMITTER = "submitter-token";

  private final Path folder;
  private final List<Process> processes = new ArrayList<>();
  private final int port;

  private RealApiServer(Path folder) throws IOException {
    this.folder = folder;
    this.port = freePort();
  }

  static RealApiServer start(Path folder) throws Exception {
    RealApiServer server = new RealApiServer(folder);
    try {
      server.startProcesses();
    } catch (Exception | AssertionError failure) {
      server.close();
      throw failure;
    }
    return server;
  }

  private void startProcesses() throws Exception {
    String store = "http://127.0.0.1:" + freePort();
    String peers = "http://127.0.0.1:" + freePort();
    run(
        "etcd",
        "etcd",
        "--data-dir=" + folder.resolve("etcd"),
        "--listen-client-urls=" + store,
        "--advertise-client-urls=" + store,
        "--listen-peer-urls=" + peers,
        "--initial-advertise-peer-urls=" + peers,
        "--initial-cluster=default=" + peers);
    Path tokens =
        Files.writeString(
            folder.resolve("tokens.csv"),
            ADMIN + ",admin,admin,system:masters\n" + SUBMITTER + ",submitter,submitter\n");
    Path key = signingKey();
    run(
        "apiserver",
        System.getenv(BINARY),
        "--etcd-servers=" + store,
        "--service-cluster-ip-range=10.96.0.0/16",
        "--service-account-key-file=" + key,
        "--service-account-signing-key-file=" + key,
        "--service-account-issuer=https://kubernetes.default.svc",
        "--cert-dir=" + folder.resolve("certificates"),
        "--token-auth-file=" + tokens,
        "--authorization-mode=RBAC",
        "--feature-gates=WatchList=false",
        "--bind-address=127.0.0.1",
        "--secure-port=" + port);
    try (KubernetesClient client = client(ADMIN)) {
      Waiting.until(
          "the API server answers, see " + folder,
          () -> {
            if (processes.stream().anyMatch(process -> !process.isAlive())) {
              throw new AssertionError("A process of the API server has ended, see " + folder);
            }
            try {
              return "ok".equals(client.raw("/readyz"));
            } catch (RuntimeException notYet) {
              return false;
            }
          });
    }
  }

  String url() {
    return "https://127.0.0.1:" + port;
  }

  KubernetesClient client(String token) {
    Config config =
        new ConfigBuilder(Config.empty())
            .withMasterUrl(url())
            .withOauthToken(token)
            .withTrustCerts(true)
            .withDisableHostnameVerification(true)
            .withRequestRetryBackoffLimit(0)
            .build();
    return new KubernetesClientBuilder().withConfig(config).build();
  }

  /** A configuration with which a user comes. */
  Path kubeconfig(String token) throws IOException {
    return Files.writeString(folder.resolve("kubeconfig-" + token), kubeconfig(url(), token));
  }

  static String kubeconfig(String url, String token) {
    return """
    apiVersion: v1
    kind: Config
    clusters: [{name: c, cluster: {server: "%s", insecure-skip-tls-verify: true}}]
    users: [{name: u, user: {token: %s}}]
    contexts: [{name: x, context: {cluster: c, user: u, namespace: default}}]
    current-context: x
    """
        .formatted(url, token);
  }

  static int freePort() throws IOException {
    try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      return socket.getLocalPort();
    }
  }

  private Path signingKey() throws Exception {
    KeyPairGenerator generator = KeyPairGenerator.getInstance("RSA");
    generator.initialize(2048);
    String encoded =
        Base64.getMimeEncoder(64, new byte[] {'\n'})
            .encodeToString(generator.generateKeyPair().getPrivate().getEncoded());
    return Files.writeString(
        folder.resolve("key.pem"),
        "-----BEGIN PRIVATE KEY-----\n" + encoded + "\n-----END PRIVATE KEY-----\n");
  }

  private void run(String name, String... command) throws IOException {
    processes.add(
        new ProcessBuilder(command)
            .redirectErrorStream(true)
            .redirectOutput(folder.resolve(name + ".log").toFile())
            .start());
  }

  @Override
  public void close() {
    for (int i = processes.size() - 1; i >= 0; i--) {
      processes.get(i).destroyForcibly().onExit().join();
    }
  }
}
