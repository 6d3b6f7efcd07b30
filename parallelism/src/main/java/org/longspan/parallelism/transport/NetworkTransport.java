package org.longspan.parallelism.transport;

import io.netty.channel.Channel;
import java.math.BigInteger;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.SecureRandom;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.IntStream;
import org.longspan.parallelism.transport.FrameHeader.Kind;

/**
 * A {@link Transport} over Spark's network library. A rank listens from {@link #bind} on, tells the
 * others its port, and can send and receive from {@link #connect} on; what quicker ranks send in
 * between is kept. Connections are opened when they are first needed.
 *
 * <p>No byte is taken from a connection that has not proved that it knows the job's secret. A
 * message of another job or attempt, or one that is not the next of its channel, is refused: its
 * connection is closed, and its sender's next call ends with an exception that says so.
 *
 * <p>Memory: a message travels in pieces of 512 KiB and is put together in the receiver's buffer.
 * From 64 KiB on, one in a direct buffer is written from where it lies; if such a send ends before
 * its bytes are out, the connection is closed. Each rank holds at most {@link
 * Transport#WINDOW_BYTES} for each peer and channel. Without encryption the operating system writes
 * a long message straight into the buffer of a receiver that waits with a direct one; such a
 * receive, should it end early, first lets the read under way come to its end.
 *
 * <p>Threading: as {@link Transport} says; {@code connect} is called once. The network library's
 * threads end within a few seconds after {@link #close}.
 */
public final class NetworkTransport implements InjectableTransport {
  private static final Duration FLUSH_LIMIT = Duration.ofSeconds(5);
  private static final String LOOPBACK = "127.0.0.1";

  private final long job;
  private final Duration timeLimit;
  private final SparkNetwork network;
  private final Object joining = new Object();
  private final List<AcceptedConnection> early = new ArrayList<>();
  private final AtomicLong received = new AtomicLong();
  private volatile NetworkSession session;
  private volatile boolean closed;

  private NetworkTransport(
      String jobId, String secret, String host, Duration timeLimit, Protection protection) {
    this.job = RankIdentity.hash(jobId);
    this.timeLimit = timeLimit;
    this.network =
        new SparkNetwork(jobId, secret, host, timeLimit, protection, this::accept, this::refused);
  }

  /** Listens on a free port of {@code host}; authenticated and encrypted. */
  public static NetworkTransport bind(
      String jobId, String secret, String host, Duration timeLimit) {
    return bind(jobId, secret, host, timeLimit, Protection.ENCRYPTED);
  }

  /**
   * Listens on a free port of {@code host}.
   *
   * @param jobId the same on all ranks of a job
   * @param secret known to the ranks of this job only
   * @param timeLimit longest send and longest receive, a connection's handshake included
   */
  public static NetworkTransport bind(
      String jobId, String secret, String host, Duration timeLimit, Protection protection) {
    if (secret.isEmpty()) {
      throw new IllegalArgumentException("The secret of job " + jobId + " is empty");
    }
    return new NetworkTransport(jobId, secret, host, timeLimit, protection);
  }

  /** Connected ranks of one job in this JVM, with a random secret, over the loopback interface. */
  public static List<Transport> loopback(int ranks, Duration timeLimit, Protection protection) {
    String secret = new BigInteger(256, new SecureRandom()).toString(Character.MAX_RADIX);
    List<NetworkTransport> all = new ArrayList<>();
    List<InetSocketAddress> addresses = new ArrayList<>();
    for (int rank = 0; rank < ranks; rank++) {
      NetworkTransport transport = bind("loopback", secret, LOOPBACK, timeLimit, protection);
      all.add(transport);
      addresses.add(InetSocketAddress.createUnresolved(LOOPBACK, transport.port()));
    }
    for (int rank = 0; rank < ranks; rank++) {
      all.get(rank).connect(rank, 0, addresses);
    }
    return List.copyOf(all);
  }

  /** Where this rank listens. */
  public int port() {
    return network.port();
  }

  /**
   * Makes this rank {@code rank} of an attempt. The first encrypted one of a process waits until
   * the compiler has seen the cipher, at most a second after {@link #bind} or so.
   *
   * @param peers where every rank listens, in the order of the ranks, this one included
   */
  public void connect(int rank, int attempt, List<InetSocketAddress> peers) {
    if (rank < 0 || rank >= peers.size()) {
      throw new IllegalArgumentException("Rank " + rank + " among " + peers.size() + " addresses");
    }
    RankIdentity own = new RankIdentity(job, attempt, rank, peers.size());
    List<NetworkPeer> others =
        IntStream.range(0, peers.size())
            .filter(peer -> peer != rank)
            .mapToObj(peer -> new NetworkPeer(own, peer, peers.get(peer), network, timeLimit))
            .toList();
    NetworkSession joined = new NetworkSession(own, others);
    network.awaitWarm();
    synchronized (joining) {
      if (session != null || closed) {
        throw new IllegalStateException(
            "Rank " + rank + "'s transport is " + (closed ? "closed" : "connected already"));
      }
      early.forEach(connection -> connection.join(joined));
      early.clear();
      session = joined;
    }
  }

  @Override
  public int rank() {
    return connected().own().rank();
  }

  @Override
  public int size() {
    return connected().own().size();
  }

  @Override
  public Duration timeLimit() {
    return timeLimit;
  }

  @Override
  public void claimAnotherJob() {
    NetworkSession joined = connected();
    joined.peers().forEach(peer -> peer.claim(joined.own().ofAnotherJob()));
  }

  @Override
  public void claimAnotherAttempt() {
    NetworkSession joined = connected();
    joined.peers().forEach(peer -> peer.claim(joined.own().ofAnotherAttempt()));
  }

  @Override
  public void send(int peer, int channel, int label, ByteBuffer payload) {
    connected().peer(peer).send(channel, label, payload);
  }

  @Override
  public void receive(int peer, int channel, int label, ByteBuffer into) {
    NetworkPeer from = connected().peer(peer);
    if (closed) {
      throw new Route(rank(), peer, channel, label).failure("this rank's transport is closed");
    }
    from.receive(channel, label, into);
    received.addAndGet(into.remaining());
  }

  @Override
  public long receivedBytes() {
    return received.get();
  }

  @Override
  public void close() {
    synchronized (joining) {
      if (closed) {
        return;
      }
      closed = true;
      early.clear();
    }
    NetworkSession joined = session;
    if (joined != null) {
      settle(joined);
      joined.peers().forEach(NetworkPeer::close);
    }
    network.close();
  }

  private static void settle(NetworkSession joined) {
    long deadline = System.nanoTime() + FLUSH_LIMIT.toNanos();
    try {
      for (NetworkPeer peer : joined.peers()) {
        peer.settle(deadline);
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private NetworkSession connected() {
    NetworkSession joined = session;
    if (joined == null) {
      throw new IllegalStateException("This transport is not connected yet");
    }
    return joined;
  }

  /** The first message on a connection that this rank has accepted, the secret known. */
  private void accept(Channel channel, ByteBuffer hello) {
    AcceptedConnection connection = AcceptedConnection.take(channel, hello);
    NetworkSession joined;
    synchronized (joining) {
      joined = session;
      if (joined == null) {
        early.add(connection);
        return;
      }
    }
    connection.join(joined);
  }

  /** A frame on a connection that this rank has opened: only a refusal may come there. */
  private void refused(Channel connection, ByteBuffer frame) {
    NetworkSession joined = session;
    if (joined == null) {
      return;
    }
    for (NetworkPeer peer : joined.peers()) {
      if (peer.hasOpened(connection) && FrameHeader.read(frame).kind() == Kind.REFUSAL) {
        peer.lose("the peer refused: " + StandardCharsets.UTF_8.decode(frame));
      }
    }
  }
}
