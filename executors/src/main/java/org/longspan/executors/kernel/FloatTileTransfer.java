package org.longspan.executors.kernel;

import org.longspan.executors.memory.FloatMatrix;
import org.longspan.executors.vector.FloatTile;

/**
 * Copies pieces of matrices into tiles and back.
 *
 * <p>Threading: stateless.
 */
final class FloatTileTransfer {
  private FloatTileTransfer() {}

  /**
   * The tile holds rows {@code [row, row + rows)} and columns {@code [column, column + columns)};
   * the padding below is zeroed.
   */
  static void load(FloatMatrix from, long row, int rows, int column, int columns, FloatTile tile) {
    for (int r = 0; r < rows; r++) {
      from.read(row + r, column, tile.numbers(), r * tile.stride(), columns);
    }
    tile.zeroBelow(rows);
  }

  /** The tile's numbers overwrite that piece of the matrix. */
  static void store(FloatTile tile, FloatMatrix to, long row, int rows, int column, int columns) {
    for (int r = 0; r < rows; r++) {
      to.write(row + r, column, tile.numbers(), r * tile.stride(), columns);
    }
  }
}
