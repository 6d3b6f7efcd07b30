package org.longspan.parallelism.transport;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFutureListener;
import io.netty.channel.ChannelInboundHandler;
import io.netty.channel.socket.DuplexChannel;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.apache.spark.network.buffer.NettyManagedBuffer;
import org.apache.spark.network.protocol.OneWayMessage;
import org.apache.spark.network.util.TransportFrameDecoder;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A connection that another rank has opened and on which it sends. Its first message, which the
 * library delivers when the secret has been shown, says who it is. All that follows are frames;
 * they are taken from the library's decoder and go to the receivers' buffers as they come, without
 * being put together first. Where nothing decrypts them on the way, the operating system writes
 * them there itself.
 *
 * <p>Before this rank is connected nothing more is read, so that what the peer sends stays with the
 * operating system; what has been read by then is kept.
 *
 * <p>Threading: everything runs on the connection's event loop, but {@link #join}, which any thread
 * calls.
 */
final class AcceptedConnection implements TransportFrameDecoder.Interceptor, ReadBuffers.Choice {
  private static final Logger LOG = LoggerFactory.getLogger(AcceptedConnection.class);
  private static final int LONGEST_REFUSAL = 1024;
  private static final int LINGER_SECONDS = 2;

  /** Below this many bytes a read of their own costs more than copying them. */
  private static final int IN_PLACE_BYTES = 16 << 10;

  private final Channel connection;
  private final ByteBuffer header = ByteBuffer.allocate(FrameHeader.BYTES);
  private final List<ByteBuf> early = new ArrayList<>();
  private NetworkSession session;
  private NetworkPeer peer;
  private boolean refused;
  private FrameHeader frame;
  private IncomingLane lane;
  private int payloadLeft;
  private boolean claimed;

  private AcceptedConnection(Channel connection, ByteBuffer hello) {
    this.connection = connection;
    this.early.add(Unpooled.copiedBuffer(hello));
  }

  /** Takes a connection over when its first message has come. */
  static AcceptedConnection take(Channel connection, ByteBuffer hello) {
    AcceptedConnection taken = new AcceptedConnection(connection, hello);
    connection.config().setAutoRead(false);
    TransportFrameDecoder decoder = connection.pipeline().get(TransportFrameDecoder.class);
    decoder.setInterceptor(taken);
    if (comesFirst(decoder, connection)) {
      ReadBuffers.choose(connection, taken);
    }
    return taken;
  }

  /** Whether the handler sees the bytes as they came, with nothing that decrypts them before it. */
  private static boolean comesFirst(TransportFrameDecoder decoder, Channel connection) {
    return connection.pipeline().toMap().values().stream()
        .filter(ChannelInboundHandler.class::isInstance)
        .findFirst()
        .filter(decoder::equals)
        .isPresent();
  }

  /** Reads on, now that it is known who this rank is. */
  void join(NetworkSession joined) {
    if (connection.eventLoop().inEventLoop()) {
      start(joined);
    } else {
      connection.eventLoop().execute(() -> start(joined));
    }
  }

  private void start(NetworkSession joined) {
    session = joined;
    for (ByteBuf bytes : early) {
      handle(bytes);
      bytes.release();
    }
    early.clear();
    connection.config().setAutoRead(true);
    if (!connection.isActive()) {
      channelInactive();
    }
  }

  @Override
  public ByteBuf next(ByteBufAllocator pool) {
    if (payloadLeft > 0) {
      ByteBuffer place = lane.claim(frame, IN_PLACE_BYTES, payloadLeft);
      if (place != null) {
        claimed = true;
        return Unpooled.wrappedBuffer(place).clear();
      }
    } else if (lane != null && !refused && lane.wouldLend(IN_PLACE_BYTES)) {
      // The header alone, so that the payload behind it can go to the receiver.
      return pool.ioBuffer(header.remaining(), header.remaining());
    }
    return pool.ioBuffer(ReadBuffers.BYTES);
  }

  @Override
  public void readsEnded() {
    if (claimed) {
      claimed = false;
      lane.arrived(0);
    }
  }

  @Override
  public boolean handle(ByteBuf bytes) {
    if (claimed) {
      arrived(bytes);
    }
    if (session == null) {
      early.add(Unpooled.copiedBuffer(bytes));
      bytes.skipBytes(bytes.readableBytes());
    }
    while (bytes.isReadable()) {
      if (refused) {
        bytes.skipBytes(bytes.readableBytes());
      } else if (payloadLeft > 0) {
        readPayload(bytes);
      } else {
        readHeader(bytes);
      }
    }
    return true;
  }

  @Override
  public void exceptionCaught(Throwable cause) {
    lose("the connection from the peer failed: " + cause);
  }

  @Override
  public void channelInactive() {
    lose("the peer has closed the connection or is lost");
  }

  /** The bytes of the payload lie where they belong. */
  private void arrived(ByteBuf bytes) {
    int length = bytes.readableBytes();
    bytes.skipBytes(length);
    payloadLeft -= length;
    claimed = false;
    lane.arrived(length);
  }

  private void readPayload(ByteBuf bytes) {
    int length = Math.min(payloadLeft, bytes.readableBytes());
    for (ByteBuffer piece : bytes.nioBuffers(bytes.readerIndex(), length)) {
      lane.deliver(frame, piece);
    }
    bytes.skipBytes(length);
    payloadLeft -= length;
  }

  private void readHeader(ByteBuf bytes) {
    int length = Math.min(header.remaining(), bytes.readableBytes());
    bytes.readBytes(header.limit(header.position() + length));
    header.limit(FrameHeader.BYTES);
    if (header.hasRemaining()) {
      return;
    }
    header.flip();
    try {
      frame = FrameHeader.read(header);
      begin();
    } catch (TransportException e) {
      refuse(e.getMessage());
    }
    header.clear();
  }

  private void begin() {
    RankIdentity own = session.own();
    String objection = own.objection(frame.job(), frame.attempt(), frame.sender());
    if (objection != null) {
      if (peer == null && own.hasPeer(frame.sender())) {
        session.peer(frame.sender()).remark(objection);
      }
      refuse(objection);
      return;
    }
    if (peer == null) {
      NetworkPeer sender = session.peer(frame.sender());
      if (!sender.accept(connection)) {
        refuse("Rank " + session.own().rank() + " has a connection from rank " + frame.sender());
        return;
      }
      peer = sender;
    }
    switch (frame.kind()) {
      case HELLO -> LOG.debug("Rank {} called rank {}", frame.sender(), session.own().rank());
      case DATA -> {
        lane = peer.incoming(frame.channel());
        lane.begin(frame);
        payloadLeft = frame.payloadLength();
        if (payloadLeft == 0) {
          lane.deliver(frame, ByteBuffer.allocate(0));
        }
      }
      case CREDIT -> peer.credit(frame.channel(), frame.sequence());
      case REFUSAL -> refuse("A refusal comes on the sender's connection");
    }
  }

  /**
   * Says why and takes nothing more. The bytes that still come are read all the same until the peer
   * closes: closing before would reset the connection, and the peer might not read why.
   */
  private void refuse(String sentence) {
    LOG.warn("{} ({})", sentence, connection.remoteAddress());
    refused = true;
    lose(sentence);
    byte[] words = sentence.getBytes(StandardCharsets.UTF_8);
    int length = Math.min(words.length, LONGEST_REFUSAL);
    ByteBuf refusal = Unpooled.buffer(FrameHeader.BYTES + length);
    FrameHeader.refusal(session.own(), length).write(refusal);
    refusal.writeBytes(words, 0, length);
    connection
        .writeAndFlush(new OneWayMessage(new NettyManagedBuffer(refusal)))
        .addListener(written -> sayNoMore());
  }

  private void sayNoMore() {
    if (connection instanceof DuplexChannel duplex) {
      duplex.shutdownOutput().addListener(ChannelFutureListener.CLOSE_ON_FAILURE);
    }
    connection
        .eventLoop()
        .schedule(this::close, LINGER_SECONDS, TimeUnit.SECONDS)
        .addListener(over -> LOG.debug("Closed {}", connection));
  }

  private void close() {
    connection.newSucceededFuture().addListener(ChannelFutureListener.CLOSE);
  }

  private void lose(String sentence) {
    if (peer != null) {
      peer.lose(sentence);
    }
  }
}
