package org.longspan.parallelism.transport;

import io.netty.channel.Channel;
import io.netty.channel.epoll.Epoll;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.function.BiConsumer;
import org.apache.spark.network.TransportContext;
import org.apache.spark.network.client.RpcResponseCallback;
import org.apache.spark.network.client.TransportClient;
import org.apache.spark.network.client.TransportClientFactory;
import org.apache.spark.network.crypto.AuthClientBootstrap;
import org.apache.spark.network.crypto.AuthServerBootstrap;
import org.apache.spark.network.sasl.SecretKeyHolder;
import org.apache.spark.network.server.OneForOneStreamManager;
import org.apache.spark.network.server.RpcHandler;
import org.apache.spark.network.server.StreamManager;
import org.apache.spark.network.server.TransportServer;
import org.apache.spark.network.util.MapConfigProvider;
import org.apache.spark.network.util.TransportConf;

/**
 * One rank's server and clients of Spark's network library, both authenticated with the job's
 * secret. Accepted and opened connections have handlers of their own, since a frame on an opened
 * connection may come from a server that has not shown yet that it knows the secret.
 *
 * <p>Threading: the handlers are called by the library's threads, one connection by one thread.
 */
final class SparkNetwork implements AutoCloseable {
  private static final String MODULE = "longspan";
  private static final int THREADS = 2;

  private final TransportContext serverContext;
  private final TransportContext clientContext;
  private final TransportServer server;
  private final TransportClientFactory clients;
  private final Protection protection;

  SparkNetwork(
      String job,
      String secret,
      String host,
      Duration timeLimit,
      Protection protection,
      BiConsumer<Channel, ByteBuffer> accepted,
      BiConsumer<Channel, ByteBuffer> opened) {
    this.protection = protection;
    if (protection == Protection.ENCRYPTED) {
      CipherWarmUp.begin();
    }
    TransportConf configuration =
        new TransportConf(MODULE, new MapConfigProvider(configuration(timeLimit, protection)));
    SecretKeyHolder key = new JobSecret(job, secret);
    serverContext = new TransportContext(configuration, new Handler(accepted));
    clientContext = new TransportContext(configuration, new Handler(opened));
    try {
      server =
          serverContext.createServer(
              host,
              0,
              List.of(SparkNetwork::readMuch, new AuthServerBootstrap(configuration, key)));
      clients =
          clientContext.createClientFactory(
              List.of(new AuthClientBootstrap(configuration, job, key)));
    } catch (RuntimeException e) {
      serverContext.close();
      clientContext.close();
      throw new TransportException("Cannot listen on " + host + ": " + e.getMessage(), e);
    }
  }

  private static Map<String, String> configuration(Duration timeLimit, Protection protection) {
    String limit = Math.max(1, timeLimit.toSeconds()) + "s";
    String threads = Integer.toString(THREADS);
    String encrypted = Boolean.toString(protection == Protection.ENCRYPTED);
    return Map.of(
        "spark.network.crypto.enabled",
        encrypted,
        "spark.network.crypto.saslFallback",
        "false",
        "spark.network.crypto.cipher",
        "AES/GCM/NoPadding",
        "spark.network.crypto.authEngineVersion",
        "2",
        "spark.network.auth.rpcTimeout",
        limit,
        "spark." + MODULE + ".io.connectionTimeout",
        limit,
        "spark." + MODULE + ".io.mode",
        Epoll.isAvailable() ? "EPOLL" : "NIO",
        "spark." + MODULE + ".io.serverThreads",
        threads,
        "spark." + MODULE + ".io.clientThreads",
        threads,
        "spark." + MODULE + ".sasl.timeout",
        limit);
  }

  private static RpcHandler readMuch(Channel connection, RpcHandler handler) {
    ReadBuffers.install(connection);
    return handler;
  }

  /** Waits until bytes can be encrypted as fast as later on. */
  void awaitWarm() {
    if (protection == Protection.ENCRYPTED) {
      CipherWarmUp.await();
    }
  }

  int port() {
    return server.getPort();
  }

  /** Opens a connection and proves on both sides that the secret is known. */
  TransportClient open(String host, int port) throws IOException, InterruptedException {
    return clients.createUnmanagedClient(host, port);
  }

  @Override
  public void close() {
    server.close();
    clients.close();
    serverContext.close();
    clientContext.close();
  }

  /** The job's one secret, under the job's name. */
  private record JobSecret(String job, String secret) implements SecretKeyHolder {
    @Override
    public String getSaslUser(String asked) {
      return MODULE;
    }

    @Override
    public String getSecretKey(String asked) {
      return asked.equals(job) ? secret : null;
    }

    @Override
    public String toString() {
      return "Secret of " + job;
    }
  }

  /** Passes one-way messages on and refuses everything else. */
  private static final class Handler extends RpcHandler {
    private final StreamManager streams = new OneForOneStreamManager();
    private final BiConsumer<Channel, ByteBuffer> messages;

    Handler(BiConsumer<Channel, ByteBuffer> messages) {
      this.messages = messages;
    }

    @Override
    public void receive(TransportClient client, ByteBuffer message) {
      messages.accept(client.getChannel(), message);
    }

    @Override
    public void receive(TransportClient client, ByteBuffer message, RpcResponseCallback callback) {
      callback.onFailure(new UnsupportedOperationException("Ranks answer no calls"));
    }

    @Override
    public StreamManager getStreamManager() {
      return streams;
    }
  }
}
