package org.longspan.executors.layer;

import org.longspan.executors.memory.Matrix;

/**
 * Rows to which each tensor rank gives a part, and which are used once they are summed: room for
 * the whole slice, or a tile for each worker where there is one tensor rank and nothing to wait
 * for.
 */
final class PartialRows {
  private final TileScratch tiles;
  private final Matrix slice;

  PartialRows(RankEnvironment environment, String name, int columns) {
    boolean alone = environment.tensor().size() == 1;
    this.tiles = alone ? environment.tileScratch(name, columns) : null;
    this.slice = alone ? null : environment.shared(name, environment.capacity(), columns);
  }

  /** The rows {@code [first, first + count)} of the slice, in the hands of {@code worker}. */
  Matrix of(int worker, int first, long count) {
    return slice == null ? tiles.of(worker, count) : slice.rows(first, first + count);
  }

  /** What is to be summed; null where there is one tensor rank. */
  Matrix slice() {
    return slice;
  }
}
