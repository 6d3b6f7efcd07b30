package org.longspan.parallelism.collective;

import java.nio.ByteBuffer;

/** What {@link ByteBuffer} lacks; no position moves. */
final class Buffers {
  static final ByteBuffer NOTHING = ByteBuffer.allocate(0);

  private static final ByteBuffer ZEROS = ByteBuffer.allocateDirect(64 << 10).asReadOnlyBuffer();

  private Buffers() {}

  /** Sets the remaining bytes to 0. */
  static void clear(ByteBuffer buffer) {
    for (int start = buffer.position(); start < buffer.limit(); start += ZEROS.capacity()) {
      buffer.put(start, ZEROS, 0, Math.min(ZEROS.capacity(), buffer.limit() - start));
    }
  }

  /** Copies the remaining bytes of {@code from} over those of {@code into}, equally many. */
  static void copy(ByteBuffer from, ByteBuffer into) {
    Arithmetic.checkEqual(from.remaining(), into.remaining());
    into.put(into.position(), from, from.position(), from.remaining());
  }

  /** {@code buffer} where it holds {@code bytes}, else a new one that does. */
  static ByteBuffer grown(ByteBuffer buffer, int bytes) {
    return buffer.capacity() >= bytes ? buffer : ByteBuffer.allocateDirect(bytes);
  }
}
