package org.longspan.parallelism.collective;

import java.nio.ByteBuffer;
import java.util.List;

/** A buffer's parts, one for each rank of a group. */
interface Parts {
  ByteBuffer of(int rank);

  /** Of whole elements: part p of P from element {@code ⌊pn/P⌋} to {@code ⌊(p+1)n/P⌋} of n. */
  static Parts even(ByteBuffer buffer, ElementType type, int ranks) {
    long elements = type.elements(buffer.remaining());
    ByteBuffer view = buffer.slice();
    return rank -> {
      int start = (int) (elements * rank / ranks) * type.bytes();
      int end = (int) (elements * (rank + 1) / ranks) * type.bytes();
      return view.slice(start, end - start);
    };
  }

  /** Of equally many bytes each. */
  static Parts equal(ByteBuffer buffer, int bytes) {
    ByteBuffer view = buffer.slice();
    return rank -> view.slice(rank * bytes, bytes);
  }

  /** The buffers as they are now, from position to limit. */
  static Parts each(List<ByteBuffer> buffers, int ranks) {
    if (buffers.size() != ranks) {
      throw new IllegalArgumentException(buffers.size() + " parts for " + ranks + " ranks");
    }
    return buffers.stream().map(ByteBuffer::slice).toList()::get;
  }
}
