package org.longspan.executors.latent;

import org.longspan.executors.memory.Matrix;

/** A block of queries in its room. */
final class QueryRows {
  private final QueryBlock block;
  private final QueryRoom room;
  private final int offset;
  private final long[] lowest;

  /**
   * @param offset the block's first row in the room
   * @param lowest the first position that each of its tokens sees
   */
  QueryRows(QueryBlock block, QueryRoom room, int offset, long[] lowest) {
    this.block = block;
    this.room = room;
    this.offset = offset;
    this.lowest = lowest;
  }

  QueryBlock block() {
    return block;
  }

  QueryRoom room() {
    return room;
  }

  /** The first position that each token sees; not to be written. */
  long[] lowest() {
    return lowest;
  }

  /** The block's rows. */
  Matrix of(Matrix matrix) {
    return matrix.rows(offset, (long) offset + block.rows());
  }

  /** The block's rows and the columns of part {@code part}, {@code width} wide. */
  Matrix of(Matrix matrix, int part, int width) {
    return of(matrix).columns(part * width, (part + 1) * width);
  }
}
