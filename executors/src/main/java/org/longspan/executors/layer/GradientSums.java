package org.longspan.executors.layer;

import org.longspan.executors.memory.Matrix;

/**
 * Sums the gradients of a layer's parameters over the tokens.
 *
 * <p>Threading: {@link #of} and {@link #endTile} from any worker, for itself; the rest from the
 * rank's own thread.
 */
sealed interface GradientSums permits WorkerSums, BlockSums {
  /** Sets all gradients to zero. */
  void start();

  /** Where {@code worker} adds the gradient of {@code name} by the tile that it works on. */
  Matrix of(int worker, String name);

  /** {@code worker} has done tile {@code tile} of the slice. */
  void endTile(int worker, int tile);

  /** Brings the sums together, where the model wants them. */
  void finish();
}
