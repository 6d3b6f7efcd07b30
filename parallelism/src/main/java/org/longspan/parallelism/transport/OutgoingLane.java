package org.longspan.parallelism.transport;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.ChannelFuture;
import java.nio.ByteBuffer;
import java.time.Duration;

/**
 * What this rank sends to one peer on one channel, cut into pieces. A long message in a direct
 * buffer is written from where it lies, and its send returns when all of it is with the operating
 * system; others are copied.
 *
 * <p>Threading: any thread; {@link #credit} is called by the one thread of the connection accepted
 * from the peer.
 */
final class OutgoingLane {
  private static final int PIECE_BYTES = 512 << 10;
  private static final int IN_PLACE_BYTES = 64 << 10;

  private final Route route;
  private final OpenedConnection connection;
  private final Duration timeLimit;
  private final Turn turn = new Turn();
  private final Window window = new Window();
  private long sequence;
  private long credited;

  OutgoingLane(Route route, OpenedConnection connection, Duration timeLimit) {
    this.route = route;
    this.connection = connection;
    this.timeLimit = timeLimit;
  }

  void send(int label, ByteBuffer payload) {
    Route labelled = route.labelled(label);
    Deadline deadline = Deadline.after(timeLimit);
    turn.take(labelled, deadline);
    try {
      connection.open(labelled, deadline);
      window.begin();
      Message message = new Message(labelled, deadline, payload);
      if (payload.isDirect() && payload.remaining() >= IN_PLACE_BYTES) {
        message.sendInPlace();
      } else {
        message.sendCopies();
      }
    } finally {
      turn.end();
    }
  }

  /** The peer took {@code bytes} payload bytes in all. */
  void credit(long bytes) {
    window.giveBack(bytes - credited);
    credited = bytes;
  }

  void fail(String sentence) {
    window.fail(sentence);
  }

  /** A message on its way out. */
  private final class Message {
    private final Route labelled;
    private final Deadline deadline;
    private final ByteBuffer payload;
    private final int length;
    private int sent;

    Message(Route labelled, Deadline deadline, ByteBuffer payload) {
      this.labelled = labelled;
      this.deadline = deadline;
      this.payload = payload;
      this.length = payload.remaining();
    }

    void sendCopies() {
      try {
        do {
          ByteBuffer piece = nextPiece();
          ByteBuf frame = header(piece, piece.remaining());
          connection.write(frame.writeBytes(piece));
        } while (sent < length);
        connection.flush();
      } finally {
        failIfUnfinished();
      }
    }

    void sendInPlace() {
      ChannelFuture write = null;
      try {
        while (sent < length) {
          ByteBuffer piece = nextPiece();
          write =
              connection.writeInPlace(
                  Unpooled.wrappedBuffer(header(piece, 0), Unpooled.wrappedBuffer(piece)));
        }
        connection.flush();
        connection.await(labelled, write, deadline);
      } finally {
        failIfUnfinished();
        if (write != null && !write.isDone()) {
          connection.abandon(write);
        }
      }
    }

    /** Waits for room. */
    private ByteBuffer nextPiece() {
      int bytes = Math.min(PIECE_BYTES, length - sent);
      if (!window.takeAtOnce(bytes)) {
        connection.flush();
        window.take(labelled, bytes, deadline);
      }
      ByteBuffer piece = payload.slice(payload.position() + sent, bytes);
      sent += bytes;
      return piece;
    }

    /** The piece's header, in a buffer with room for as many bytes more. */
    private ByteBuf header(ByteBuffer piece, int room) {
      ByteBuf header = connection.buffer(FrameHeader.BYTES + room);
      FrameHeader.data(
              connection.identity(),
              route.channel(),
              labelled.label(),
              length,
              sequence++,
              piece.remaining())
          .write(header);
      return header;
    }

    private void failIfUnfinished() {
      if (sent > 0 && sent < length) {
        window.fail("an earlier send ended in the middle of a message");
      }
    }
  }
}
