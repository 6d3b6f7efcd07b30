package org.longspan.parallelism.transport;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFutureListener;
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
import org.apache.spark.network.buffer.NettyManagedBuffer;
import org.apache.spark.network.protocol.OneWayMessage;
import org.longspan.parallelism.transport.FrameHeader.Kind;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A {@link Transport} over Spark's network library. A rank listens from {@link #bind} on, tells the
 * others its port, and can send and receive from {@link #connect} on; what quicker ranks send in
 * between is kept. Connections are opened when they are first needed.
 *
 * <p>No byte is taken from a connection that has not proved that it knows the job's secret. A
 * message of another job or attempt, or one that is not the next of its channel, is refused: its
 * connection is closed, and its sender's next call ends with an exception that says so.
 *
 * <p>Memory: a message travels in pieces of 256 KiB and is put together in the receiver's buffer.
 * Each rank holds at most {@link Transport#WINDOW_BYTES} for each peer and channel.
 *
 * <p>Threading: as {@link Transport} says; {@code connect} is called once. The network library's
 * threads end within a few seconds after {@link #close}.
 */
public final class NetworkTransport implements Transport {
  private static final Logger LOG = LoggerFactory.getLogger(NetworkTransport.class);
  private static final Duration FLUSH_LIMIT = Duration.ofSeconds(5);
  private static final String LOOPBACK = "127.0.0.1";
  private static final int LONGEST_REFUSAL = 1024;

  private final long job;
  private final Duration timeLimit;
  private final SparkNetwork network;
  private final Object joining = new Object();
  private final List<Frame> early = new ArrayList<>();
  private final AtomicLong received = new AtomicLong();
  private volatile Session session;
  private volatile boolean closed;

  /** What arrived before this rank was connected. */
  private record Frame(Channel connection, ByteBuffer bytes) {}

  /** Who this rank is, and the other ranks in their order. */
  private record Session(NetworkIdentity own, List<NetworkPeer> peers) {
    NetworkPeer peer(int number) {
      Route.checkPeer(own.rank(), number, own.size());
      return peers.get(number < own.rank() ? number : number - 1);
    }
  }

  private NetworkTransport(
      String jobId, String secret, String host, Duration timeLimit, Protection protection) {
    this.job = NetworkIdentity.hash(jobId);
    this.timeLimit = timeLimit;
    this.network =
        new SparkNetwork(
            jobId,
            secret,
            host,
            timeLimit,
            protection,
            new SparkNetwork.Events(this::take, this::lost),
            new SparkNetwork.Events(this::refused, connection -> {}));
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
   * @param timeLimit longest wait for a peer, in a connection's handshake too
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
   * Makes this rank {@code rank} of an attempt.
   *
   * @param peers where every rank listens, in the order of the ranks, this one included
   */
  public void connect(int rank, int attempt, List<InetSocketAddress> peers) {
    if (rank < 0 || rank >= peers.size()) {
      throw new IllegalArgumentException("Rank " + rank + " among " + peers.size() + " addresses");
    }
    NetworkIdentity own = new NetworkIdentity(job, attempt, rank, peers.size());
    List<NetworkPeer> others =
        IntStream.range(0, peers.size())
            .filter(peer -> peer != rank)
            .mapToObj(peer -> new NetworkPeer(own, peer, peers.get(peer), network, timeLimit))
            .toList();
    Session joined = new Session(own, others);
    synchronized (joining) {
      if (session != null || closed) {
        throw new IllegalStateException(
            "Rank " + rank + "'s transport is " + (closed ? "closed" : "connected already"));
      }
      for (Frame frame : early) {
        take(joined, frame.connection(), frame.bytes());
        if (!frame.connection().isActive()) {
          lost(joined, frame.connection());
        }
      }
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
    Session joined = session;
    if (joined != null) {
      flush(joined);
      joined.peers().forEach(NetworkPeer::close);
    }
    network.close();
  }

  private static void flush(Session joined) {
    long deadline = System.nanoTime() + FLUSH_LIMIT.toNanos();
    try {
      for (NetworkPeer peer : joined.peers()) {
        peer.flush(deadline);
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private Session connected() {
    Session joined = session;
    if (joined == null) {
      throw new IllegalStateException("This transport is not connected yet");
    }
    return joined;
  }

  /** A frame on a connection that this rank has accepted, the secret known. */
  private void take(Channel connection, ByteBuffer frame) {
    Session joined = session;
    if (joined == null) {
      synchronized (joining) {
        joined = session;
        if (joined == null) {
          if (!closed) {
            ByteBuffer copy = ByteBuffer.allocate(frame.remaining()).put(frame).flip();
            early.add(new Frame(connection, copy));
          }
          return;
        }
      }
    }
    take(joined, connection, frame);
  }

  private static void take(Session joined, Channel connection, ByteBuffer frame) {
    FrameHeader header;
    try {
      header = FrameHeader.read(frame);
    } catch (TransportException e) {
      refuse(joined, connection, e.getMessage());
      return;
    }
    String objection = joined.own().objection(header);
    if (objection != null) {
      refuse(joined, connection, objection);
      return;
    }
    NetworkPeer peer = joined.peer(header.sender());
    if (!peer.accept(connection)) {
      refuse(
          joined,
          connection,
          "Rank " + joined.own().rank() + " has a connection from rank " + header.sender());
      return;
    }
    try {
      switch (header.kind()) {
        case HELLO -> LOG.debug("Rank {} called rank {}", header.sender(), joined.own().rank());
        case DATA -> peer.deliver(header, frame);
        case CREDIT -> peer.credit(header.channel(), header.sequence());
        case REFUSAL -> refuse(joined, connection, "A refusal comes on the sender's connection");
      }
    } catch (TransportException e) {
      peer.lose(e.getMessage());
      refuse(joined, connection, e.getMessage());
    }
  }

  private static void refuse(Session joined, Channel connection, String sentence) {
    LOG.warn("{} ({})", sentence, connection.remoteAddress());
    byte[] words = sentence.getBytes(StandardCharsets.UTF_8);
    int length = Math.min(words.length, LONGEST_REFUSAL);
    NetworkIdentity own = joined.own();
    ByteBuf frame = Unpooled.buffer(FrameHeader.BYTES + length);
    new FrameHeader(Kind.REFUSAL, own.job(), own.attempt(), own.rank(), 0, length, 0, length, 0)
        .write(frame);
    frame.writeBytes(words, 0, length);
    connection
        .writeAndFlush(new OneWayMessage(new NettyManagedBuffer(frame)))
        .addListener(ChannelFutureListener.CLOSE);
  }

  /** A frame on a connection that this rank has opened: only a refusal may come there. */
  private void refused(Channel connection, ByteBuffer frame) {
    Session joined = session;
    if (joined == null) {
      return;
    }
    for (NetworkPeer peer : joined.peers()) {
      if (peer.hasOpened(connection)) {
        FrameHeader header = FrameHeader.read(frame);
        if (header.kind() == Kind.REFUSAL) {
          peer.lose("the peer refused: " + StandardCharsets.UTF_8.decode(frame));
        }
      }
    }
  }

  private void lost(Channel connection) {
    Session joined = session;
    if (joined != null) {
      lost(joined, connection);
    }
  }

  private static void lost(Session joined, Channel connection) {
    for (NetworkPeer peer : joined.peers()) {
      if (peer.hasAccepted(connection)) {
        peer.lose("the peer has closed the connection or is lost");
      }
    }
  }
}
