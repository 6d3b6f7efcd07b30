package org.longspan.executors.vector;

import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorSpecies;

/**
 * What is done to tiles between their products. Sizes are the true ones; padding is written as
 * well, and stays zero where it was.
 *
 * <p>Threading: stateless.
 */
public final class FloatTileLoop {
  private static final VectorSpecies<Float> SPECIES = FloatVector.SPECIES_PREFERRED;
  private static final int LANES = SPECIES.length();
  private static final int STRIP = 4;

  private FloatTileLoop() {}

  /** {@code to = fromᵀ}; {@code from} is {@code [rows, columns]}. */
  public static void transpose(FloatTile from, int rows, int columns, FloatTile to) {
    int paddedRows = FloatTile.padded(rows);
    int paddedColumns = FloatTile.padded(columns);
    for (int row = 0; row < paddedRows; row += STRIP) {
      transposeStrip(
          from.numbers(),
          row * from.stride(),
          from.stride(),
          paddedColumns,
          to.numbers(),
          row,
          to.stride());
    }
  }

  private static void transposeStrip(
      float[] from, int start, int rowStep, int columns, float[] to, int toStart, int toStep) {
    int rowStep2 = 2 * rowStep;
    int rowStep3 = 3 * rowStep;
    int at = toStart;
    for (int i = start; i < start + columns; i++) {
      to[at] = from[i];
      to[at + 1] = from[i + rowStep];
      to[at + 2] = from[i + rowStep2];
      to[at + 3] = from[i + rowStep3];
      at += toStep;
    }
  }

  /** {@code to += factor · from}, of tiles of one shape. */
  public static void addScaled(FloatTile from, float factor, FloatTile to) {
    float[] added = from.numbers();
    float[] sums = to.numbers();
    for (int i = 0; i < sums.length; i++) {
      sums[i] += factor * added[i];
    }
  }

  /** {@code to_r = factors[offset + r] · from_r} for {@code rows} rows of {@code columns}. */
  public static void scaleRows(
      FloatTile from, float[] factors, int offset, int rows, int columns, FloatTile to) {
    for (int row = 0; row < rows; row++) {
      scale(
          from.numbers(),
          row * from.stride(),
          factors[offset + row],
          to.numbers(),
          row * to.stride(),
          columns);
    }
    to.zeroBelow(rows);
  }

  private static void scale(
      float[] from, int fromStart, float factor, float[] to, int toStart, int columns) {
    for (int column = 0; column < columns; column += LANES) {
      FloatVector.fromArray(SPECIES, from, fromStart + column)
          .mul(factor)
          .intoArray(to, toStart + column);
    }
  }

  /**
   * Multiplies element (r, s) of a triangular tile with {@code factors[middle + s − r]}, which is 0
   * for s > r.
   */
  public static void weighTriangle(FloatTile tile, float[] factors, int middle, int size) {
    for (int row = 0; row < size; row++) {
      int columns = row - row % STRIP + STRIP;
      weigh(tile.numbers(), row * tile.stride(), factors, middle - row, columns);
    }
  }

  private static void weigh(
      float[] numbers, int start, float[] factors, int factorStart, int columns) {
    for (int column = 0; column < columns; column += LANES) {
      FloatVector.fromArray(SPECIES, numbers, start + column)
          .mul(FloatVector.fromArray(SPECIES, factors, factorStart + column))
          .intoArray(numbers, start + column);
    }
  }
}
