package org.longspan.executors.latent;

import org.longspan.executors.memory.Matrix;

/**
 * Sums what the tiles of a sequence give in one order, whichever rank of the sequence holds them,
 * so that a sum is the same to the last bit whatever their number.
 *
 * <p>Threading: the rank's own thread.
 */
public interface OrderedTiles {
  /** From now on {@code [rows, columns]} is summed. */
  void start(long rows, int columns);

  /** Where the tile that is worked on adds; zero at first. */
  Matrix tile();

  /**
   * Tile {@code number} of the slice is done; tiles come in their order, each of them. Gradients of
   * weights that the tile added to are done with it as well.
   */
  void end(int number);

  /** The sum over all tiles of the sequence into {@code total}. A collective. */
  void finish(Matrix total);
}
