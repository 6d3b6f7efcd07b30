package org.longspan.parallelism.transport;

import io.netty.buffer.ByteBuf;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Consumer;
import org.apache.spark.network.buffer.NettyManagedBuffer;
import org.apache.spark.network.protocol.OneWayMessage;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The connection that this rank opens to a peer when it is first needed, and on which it sends. A
 * thread of its own opens it, so that who waits for it can stop waiting at any time.
 *
 * <p>Threading: any thread.
 */
final class OpenedConnection {
  private static final Logger LOG = LoggerFactory.getLogger(OpenedConnection.class);
  private static final Duration CLOSE_LIMIT = Duration.ofSeconds(5);

  private final InetSocketAddress address;
  private final SparkNetwork network;
  private final Consumer<String> lost;
  private final Thread opener;
  private final CountDownLatch tried = new CountDownLatch(1);
  private boolean asked;
  private volatile RankIdentity identity;
  private volatile Channel greeted;
  private volatile Channel connection;
  private volatile ChannelFuture lastWrite;
  private volatile String loss;

  /**
   * @param lost told, once or more, why nothing can be sent to the peer any more
   */
  OpenedConnection(
      RankIdentity own,
      int peer,
      InetSocketAddress address,
      SparkNetwork network,
      Consumer<String> lost) {
    this.identity = own;
    this.address = address;
    this.network = network;
    this.lost = lost;
    this.opener = new Thread(this::connect, "longspan-opener-" + own.rank() + "-to-" + peer);
    this.opener.setDaemon(true);
  }

  /** Waits until the connection is open. */
  void open(Route route, Deadline deadline) {
    if (connection != null) {
      return;
    }
    start();
    try {
      if (!tried.await(deadline.left(), TimeUnit.NANOSECONDS)) {
        throw route.failure("cannot connect to " + where() + " " + deadline);
      }
    } catch (InterruptedException e) {
      throw route.interrupted(e);
    }
    if (connection == null) {
      throw route.failure(loss);
    }
  }

  private synchronized void start() {
    if (!asked && loss == null) {
      asked = true;
      opener.start();
    }
  }

  private void connect() {
    try {
      Channel opened = network.open(address.getHostString(), address.getPort()).getChannel();
      if (!use(opened)) {
        close(opened);
      }
    } catch (IOException | InterruptedException | RuntimeException e) {
      lost.accept("cannot connect to " + where() + ": " + why(e));
    } finally {
      tried.countDown();
    }
  }

  /** The library hides that nobody answered under other exceptions. */
  private static String why(Throwable failure) {
    Throwable cause = failure;
    while (cause.getCause() != null) {
      cause = cause.getCause();
    }
    return cause instanceof TimeoutException
        ? "it does not answer the handshake"
        : failure.toString();
  }

  /** Says who calls; false where nothing is to be sent any more. */
  private synchronized boolean use(Channel opened) {
    if (loss != null) {
      return false;
    }
    greeted = opened;
    ByteBuf hello = opened.alloc().directBuffer(FrameHeader.BYTES);
    FrameHeader.hello(identity).write(hello);
    lastWrite = opened.writeAndFlush(new OneWayMessage(new NettyManagedBuffer(hello)));
    connection = opened;
    opened
        .closeFuture()
        .addListener(closed -> lost.accept("the peer has closed the connection or is lost"));
    return true;
  }

  /** Whether it is this connection, even before its first message has gone. */
  boolean is(Channel other) {
    return other.equals(greeted);
  }

  /** Nothing can be sent any more; the first sentence stays. */
  synchronized void fail(String sentence) {
    if (loss == null) {
      loss = sentence;
    }
    tried.countDown();
  }

  /** Frames say this from now on. */
  void claim(RankIdentity claimed) {
    identity = claimed;
  }

  /** What frames say about who sends. */
  RankIdentity identity() {
    return identity;
  }

  ByteBuf buffer(int bytes) {
    return connection.alloc().directBuffer(bytes, bytes);
  }

  /** Writes behind what was written before; it goes out with the next flush. */
  void write(ByteBuf frame) {
    lastWrite = connection.write(frame);
  }

  /** Writes bytes that the caller leaves alone until the write has ended. */
  ChannelFuture writeInPlace(ByteBuf frame) {
    ChannelFuture write = connection.write(frame);
    lastWrite = write;
    return write;
  }

  void flush() {
    connection.flush();
  }

  /** Writes a frame without payload, and flushes, where the connection is open. */
  void write(FrameHeader header) {
    if (connection != null) {
      ByteBuf frame = buffer(FrameHeader.BYTES);
      header.write(frame);
      lastWrite = connection.writeAndFlush(frame);
    }
  }

  /** Waits until what was written is with the operating system. */
  void await(Route route, ChannelFuture write, Deadline deadline) {
    try {
      if (!write.await(Math.max(0, deadline.left()), TimeUnit.NANOSECONDS)) {
        throw route.failure("the connection did not take all of the message " + deadline);
      }
    } catch (InterruptedException e) {
      throw route.interrupted(e);
    }
    if (!write.isSuccess()) {
      String sentence = loss;
      throw route.failure(
          sentence == null ? "the connection to the peer failed: " + write.cause() : sentence,
          write.cause());
    }
  }

  /** Gives up what was written and closes the connection: nothing refers to the bytes any more. */
  void abandon(ChannelFuture write) {
    lost.accept("an earlier send was given up in the middle of a message");
    close(connection);
    write.awaitUninterruptibly(CLOSE_LIMIT.toMillis());
  }

  /** Waits until what was written is with the operating system, or there is no hope for it. */
  void settle(long deadline) throws InterruptedException {
    ChannelFuture write = lastWrite;
    if (write != null && loss == null) {
      write.await(Math.max(0, deadline - System.nanoTime()), TimeUnit.NANOSECONDS);
    }
  }

  /** Ends the thread that opens the connection, too. */
  void close() {
    opener.interrupt();
    Channel opened = connection;
    if (opened != null) {
      close(opened);
    }
  }

  static void close(Channel connection) {
    if (!connection.close().awaitUninterruptibly(CLOSE_LIMIT.toMillis())) {
      LOG.warn("The connection {} is still open after {}", connection, CLOSE_LIMIT);
    }
  }

  private String where() {
    return address.getHostString() + ":" + address.getPort();
  }
}
