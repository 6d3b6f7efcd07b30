package org.longspan.parallelism.transport;

import io.netty.buffer.ByteBuf;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.ReentrantLock;
import org.apache.spark.network.buffer.NettyManagedBuffer;
import org.apache.spark.network.protocol.OneWayMessage;
import org.longspan.parallelism.transport.FrameHeader.Kind;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Another rank as this one sees it: the connection opened to it, on which this rank sends, the one
 * accepted from it, on which it receives, and the channels.
 *
 * <p>A closed accepted connection says that the peer is lost, after everything that it sent was
 * read. A closed opened connection may be seen before the last messages on the other one are read,
 * so receivers get some grace then.
 *
 * <p>Threading: any thread; what arrives is delivered by the library's thread of the accepted
 * connection.
 */
final class NetworkPeer {
  private static final int PIECE_BYTES = 256 << 10;
  private static final Logger LOG = LoggerFactory.getLogger(NetworkPeer.class);
  private static final Duration CLOSE_LIMIT = Duration.ofSeconds(5);
  private static final Duration GRACE = Duration.ofSeconds(1);

  private final NetworkIdentity own;
  private final int peer;
  private final InetSocketAddress address;
  private final SparkNetwork network;
  private final Duration timeLimit;
  private final ConcurrentHashMap<Integer, Outgoing> outgoing = new ConcurrentHashMap<>();
  private final ConcurrentHashMap<Integer, Incoming> incoming = new ConcurrentHashMap<>();
  private final ReentrantLock opening = new ReentrantLock();

  private volatile Channel opened;
  private volatile Channel accepted;
  private volatile ChannelFuture lastWrite;
  private volatile Loss sendingLost;
  private volatile Loss receivingLost;

  /** Why no more bytes come or go, and how long receivers wait all the same. */
  private record Loss(String sentence, Duration grace) {}

  NetworkPeer(
      NetworkIdentity own,
      int peer,
      InetSocketAddress address,
      SparkNetwork network,
      Duration timeLimit) {
    this.own = own;
    this.peer = peer;
    this.address = address;
    this.network = network;
    this.timeLimit = timeLimit;
  }

  void send(int channel, int label, ByteBuffer payload) {
    outgoing(channel).send(label, payload);
  }

  void receive(int channel, int label, ByteBuffer into) {
    Incoming lane = incoming(channel);
    try {
      // Without a connection of our own there is no way to give room back, nor to see a peer die
      // that never called.
      open(lane.route.labelled(label));
    } catch (TransportException e) {
      if (Thread.currentThread().isInterrupted()) {
        throw e;
      }
      loseSending(e.getMessage());
    }
    lane.mailbox.receive(label, into);
  }

  /** Takes the connection as the one from this peer; false where it has another already. */
  synchronized boolean accept(Channel connection) {
    if (accepted == null) {
      accepted = connection;
    }
    return accepted.equals(connection);
  }

  boolean hasAccepted(Channel connection) {
    return connection.equals(accepted);
  }

  boolean hasOpened(Channel connection) {
    return connection.equals(opened);
  }

  /** A piece from this peer; throws where it is not the next one of its channel. */
  void deliver(FrameHeader header, ByteBuffer payload) {
    incoming(header.channel()).deliver(header, payload);
  }

  /** This peer took {@code bytes} payload bytes of the channel in all. */
  void credit(int channel, long bytes) {
    outgoing(channel).credit(bytes);
  }

  /** The peer is gone or wrong, and everything that it sent has been delivered. */
  void lose(String sentence) {
    loseSending(sentence);
    loseReceiving(new Loss(sentence, Duration.ZERO));
  }

  private void loseSending(String sentence) {
    Loss loss = new Loss(sentence, GRACE);
    if (sendingLost == null) {
      sendingLost = loss;
      outgoing.values().forEach(lane -> lane.window.fail(sentence));
    }
    if (receivingLost == null) {
      loseReceiving(loss);
    }
  }

  private void loseReceiving(Loss loss) {
    receivingLost = loss;
    incoming.values().forEach(lane -> lane.mailbox.fail(loss.sentence(), loss.grace()));
  }

  /** Waits until what was sent is with the operating system, or there is no hope for it. */
  void flush(long deadline) throws InterruptedException {
    ChannelFuture write = lastWrite;
    if (write != null && sendingLost == null) {
      write.await(Math.max(0, deadline - System.nanoTime()), TimeUnit.NANOSECONDS);
    }
  }

  void close() {
    lose("this rank's transport is closed");
    Channel[] connections = {opened, accepted};
    for (Channel connection : connections) {
      if (connection != null) {
        close(connection);
      }
    }
  }

  private static void close(Channel connection) {
    if (!connection.close().awaitUninterruptibly(CLOSE_LIMIT.toMillis())) {
      LOG.warn("The connection {} is still open after {}", connection, CLOSE_LIMIT);
    }
  }

  private Outgoing outgoing(int channel) {
    Outgoing lane = outgoing.computeIfAbsent(channel, Outgoing::new);
    Loss loss = sendingLost;
    if (loss != null) {
      lane.window.fail(loss.sentence());
    }
    return lane;
  }

  private Incoming incoming(int channel) {
    Incoming lane = incoming.get(channel);
    if (lane == null) {
      lane = incoming.computeIfAbsent(channel, Incoming::new);
      Loss loss = receivingLost;
      if (loss != null) {
        lane.mailbox.fail(loss.sentence(), loss.grace());
      }
    }
    return lane;
  }

  private Channel open(Route route) {
    Channel connection = opened;
    if (connection != null) {
      return connection;
    }
    Loss loss = sendingLost;
    if (loss != null) {
      throw route.failure(loss.sentence());
    }
    try {
      opening.lockInterruptibly();
      try {
        if (opened == null) {
          connect(route);
        }
        return opened;
      } finally {
        opening.unlock();
      }
    } catch (InterruptedException e) {
      throw route.interrupted(e);
    }
  }

  private void connect(Route route) throws InterruptedException {
    Channel connection;
    try {
      connection = network.open(address.getHostString(), address.getPort()).getChannel();
    } catch (IOException | RuntimeException e) {
      if (Thread.interrupted() || isInterruption(e)) {
        throw new InterruptedException("while connecting: " + e);
      }
      throw route.failure(
          "cannot connect to " + address.getHostString() + ":" + address.getPort() + ": " + e, e);
    }
    opened = connection;
    write(
        connection,
        new FrameHeader(Kind.HELLO, own.job(), own.attempt(), own.rank(), 0, 0, 0, 0, 0));
    connection
        .closeFuture()
        .addListener(closed -> loseSending("the peer has closed the connection or is lost"));
    if (sendingLost != null) {
      close(connection);
    }
  }

  /** The library hides an interruption during the handshake in other exceptions. */
  private static boolean isInterruption(Throwable failure) {
    for (Throwable cause = failure; cause != null; cause = cause.getCause()) {
      if (cause instanceof InterruptedException) {
        return true;
      }
    }
    return false;
  }

  private void write(Channel connection, FrameHeader header) {
    ByteBuf frame = connection.alloc().directBuffer(FrameHeader.BYTES);
    header.write(frame);
    write(connection, frame);
  }

  private void write(Channel connection, ByteBuf frame) {
    lastWrite = connection.writeAndFlush(new OneWayMessage(new NettyManagedBuffer(frame)));
  }

  /** What this rank sends to the peer on one channel. */
  private final class Outgoing {
    private final ReentrantLock sending = new ReentrantLock();
    private final int channel;
    private final Route route;
    private final Window window;
    private long sequence;
    private long credited;

    Outgoing(int channel) {
      this.channel = channel;
      route = new Route(own.rank(), peer, channel);
      window = new Window(route, timeLimit);
    }

    void send(int label, ByteBuffer payload) {
      try {
        sending.lockInterruptibly();
      } catch (InterruptedException e) {
        throw route.labelled(label).interrupted(e);
      }
      try {
        Channel connection = open(route.labelled(label));
        ByteBuffer rest = payload.duplicate();
        int length = payload.remaining();
        do {
          int bytes = Math.min(PIECE_BYTES, rest.remaining());
          rest.limit(rest.position() + bytes);
          window.take(label, bytes);
          ByteBuf frame = connection.alloc().directBuffer(FrameHeader.BYTES + bytes);
          new FrameHeader(
                  Kind.DATA,
                  own.job(),
                  own.attempt(),
                  own.rank(),
                  channel,
                  length,
                  sequence++,
                  bytes,
                  label)
              .write(frame);
          frame.writeBytes(rest);
          write(connection, frame);
          rest.limit(payload.limit());
        } while (rest.hasRemaining());
      } finally {
        sending.unlock();
      }
    }

    /** Called by the one thread of the accepted connection. */
    void credit(long bytes) {
      window.giveBack(bytes - credited);
      credited = bytes;
    }
  }

  /** What this rank receives from the peer on one channel. */
  private final class Incoming {
    private static final int CREDIT_STEP = Transport.WINDOW_BYTES / 4;

    private final int channel;
    private final Route route;
    private final Mailbox mailbox;
    private long expected;
    private long taken;
    private long credited;

    Incoming(int channel) {
      this.channel = channel;
      route = new Route(own.rank(), peer, channel);
      mailbox = new Mailbox(route, timeLimit, this::took);
    }

    /** Called by the one thread of the accepted connection. */
    void deliver(FrameHeader header, ByteBuffer payload) {
      if (header.sequence() != expected) {
        throw route.failure(
            "piece " + header.sequence() + " came where piece " + expected + " was to come");
      }
      expected++;
      mailbox.deliver(header.label(), header.messageLength(), payload);
    }

    private void took(int bytes) {
      taken += bytes;
      Channel connection = opened;
      if (taken - credited >= CREDIT_STEP && connection != null) {
        credited = taken;
        write(
            connection,
            new FrameHeader(
                Kind.CREDIT, own.job(), own.attempt(), own.rank(), channel, 0, taken, 0, 0));
      }
    }
  }
}
