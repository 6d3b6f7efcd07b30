package org.longspan.executors.layer;

import org.longspan.executors.memory.Matrix;

/**
 * Work on each tile of a slice, one of several stages that follow each other.
 *
 * @param summed rows of the whole slice to which the work gives this rank's part: the next stage
 *     finds their sums over the tensor ranks. Null for none, or where there is one tensor rank
 */
record Stage(RankEnvironment.TileWork work, Matrix summed) {
  /** A stage after which nothing is summed. */
  static Stage of(RankEnvironment.TileWork work) {
    return new Stage(work, null);
  }

  /** A stage after which {@code summed} is. */
  static Stage summing(Matrix summed, RankEnvironment.TileWork work) {
    return new Stage(work, summed);
  }
}
