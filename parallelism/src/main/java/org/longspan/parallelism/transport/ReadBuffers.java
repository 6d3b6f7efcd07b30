package org.longspan.parallelism.transport;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import io.netty.channel.Channel;
import io.netty.channel.DefaultMaxMessagesRecvByteBufAllocator;

/**
 * The buffers into which an accepted connection's bytes are read: pooled ones of {@link #BYTES},
 * until somebody chooses others.
 *
 * <p>Threading: everything runs on the connection's event loop, but the constructor and {@link
 * #install}.
 */
final class ReadBuffers extends DefaultMaxMessagesRecvByteBufAllocator {
  /** Bytes read at once where nothing else is chosen: a message has many. */
  static final int BYTES = 64 << 10;

  private static final int READS_IN_A_ROW = 16;

  private Choice choice;

  private ReadBuffers() {
    super(READS_IN_A_ROW);
  }

  /** Chooses the buffer of each read. */
  interface Choice {
    /** Where the next bytes are to go, up to the buffer's capacity. */
    ByteBuf next(ByteBufAllocator pool);

    /** Nothing is read into any buffer that was chosen before. */
    void readsEnded();
  }

  /** Has a connection that has read nothing yet read into such buffers. */
  static void install(Channel connection) {
    connection.config().setRecvByteBufAllocator(new ReadBuffers());
  }

  /** Leaves the choice for this connection, which has them installed, to {@code choice}. */
  static void choose(Channel connection, Choice choice) {
    ReadBuffers buffers = connection.config().getRecvByteBufAllocator();
    buffers.choice = choice;
  }

  @Override
  @SuppressWarnings("deprecation") // The library's channels still ask for a handle of this kind.
  public Handle newHandle() {
    return new Reads();
  }

  private final class Reads extends MaxMessageHandle {
    @Override
    public int guess() {
      return BYTES;
    }

    @Override
    public ByteBuf allocate(ByteBufAllocator pool) {
      return choice == null ? super.allocate(pool) : choice.next(pool);
    }

    @Override
    public void readComplete() {
      super.readComplete();
      if (choice != null) {
        choice.readsEnded();
      }
    }
  }
}
