package org.longspan.executors.latent;

import org.longspan.executors.memory.Matrix;

/**
 * A block of queries in its room.
 *
 * @param offset its first row there
 * @param lowest the first position that each of its tokens sees
 */
record QueryRows(QueryBlock block, QueryRoom room, int offset, long[] lowest) {
  /** The block's rows and the columns of part {@code part}, {@code width} wide. */
  Matrix of(Matrix matrix, int part, int width) {
    return matrix
        .rows(offset, (long) offset + block.rows())
        .columns(part * width, (part + 1) * width);
  }
}
