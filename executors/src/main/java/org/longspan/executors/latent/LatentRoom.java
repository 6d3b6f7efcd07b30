package org.longspan.executors.latent;

import org.longspan.executors.memory.Matrix;

/** Shared room for a number of rows that differs from sequence to sequence. */
final class LatentRoom {
  private LatentRoom() {}

  /** Of powers of two rows, so that few are made. */
  static Matrix of(LatentMemory memory, String name, long rows, int columns) {
    long most = Math.max(16, Long.highestOneBit(Math.max(1, rows - 1)) * 2);
    return memory.shared(name, most, columns).rows(0, rows);
  }
}
