package org.longspan.executors.vector;

import java.util.Arrays;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorSpecies;

/**
 * Products of tiles, {@code C = keep · C + A·B} and its kin, in strips of four rows by two vectors
 * held in registers. A {@code keep} of 0 overwrites, whatever C held. Sizes are the true ones; what
 * they are padded to is computed as well. Each number of C is summed over ascending steps, so its
 * value does not depend on how a product is cut.
 *
 * <p>A triangular tile is one of pairs (row, column ≤ row): what lies right of the four-row strip
 * of its diagonal is neither computed nor read.
 *
 * <p>Threading: stateless.
 */
public final class FloatTileProduct {
  private static final VectorSpecies<Float> SPECIES = FloatVector.SPECIES_PREFERRED;
  private static final int LANES = SPECIES.length();
  private static final int STRIP = 4;

  private FloatTileProduct() {}

  /** {@code C = keep · C + A·B}: A {@code [rows, depth]}, B {@code [depth, columns]}. */
  public static void multiply(
      FloatTile a, FloatTile b, float keep, FloatTile c, int rows, int depth, int columns) {
    for (int row = 0; row < rows; row += STRIP) {
      strip(a, row * a.stride(), a.stride(), 1, b, 0, depth, keep, c, row, columns);
    }
  }

  /** {@code C = keep · C + Aᵀ·B}: A {@code [depth, rows]}, B {@code [depth, columns]}. */
  public static void multiplyTransposed(
      FloatTile a, FloatTile b, float keep, FloatTile c, int rows, int depth, int columns) {
    for (int row = 0; row < rows; row += STRIP) {
      strip(a, row, 1, a.stride(), b, 0, depth, keep, c, row, columns);
    }
  }

  /** {@code C = A·B}, C triangular {@code [size, size]}: A {@code [size, depth]}. */
  public static void intoTriangle(FloatTile a, FloatTile b, FloatTile c, int size, int depth) {
    for (int row = 0; row < size; row += STRIP) {
      strip(a, row * a.stride(), a.stride(), 1, b, 0, depth, 0f, c, row, row + STRIP);
    }
  }

  /** {@code C = keep · C + A·B}, A triangular {@code [size, size]}: B {@code [size, columns]}. */
  public static void triangleTimes(
      FloatTile a, FloatTile b, float keep, FloatTile c, int size, int columns) {
    for (int row = 0; row < size; row += STRIP) {
      int depth = Math.min(size, row + STRIP);
      strip(a, row * a.stride(), a.stride(), 1, b, 0, depth, keep, c, row, columns);
    }
  }

  /** {@code C = keep · C + Aᵀ·B}, A triangular {@code [size, size]}: B {@code [size, columns]}. */
  public static void transposedTriangleTimes(
      FloatTile a, FloatTile b, float keep, FloatTile c, int size, int columns) {
    for (int row = 0; row < size; row += STRIP) {
      strip(a, row * a.stride() + row, 1, a.stride(), b, row, size - row, keep, c, row, columns);
    }
  }

  /**
   * Four rows of a product: the left factor's element (r, step) lies at {@code aStart + r · aRow +
   * step · aStep}; the right factor's rows start at {@code firstStep}.
   */
  private static void strip(
      FloatTile a,
      int aStart,
      int aRow,
      int aStep,
      FloatTile b,
      int firstStep,
      int depth,
      float keep,
      FloatTile c,
      int row,
      int columns) {
    float[] left = a.numbers();
    float[] right = b.numbers();
    float[] out = c.numbers();
    int rightRow = b.stride();
    int outRow = c.stride();
    int from = row * outRow;
    int rightFrom = firstStep * rightRow;
    if (keep != 1f) {
      fade(out, from, outRow, FloatTile.padded(columns), keep);
    }
    addStrip(
        left, aStart, aRow, aStep, right, rightFrom, rightRow, depth, out, from, outRow, columns);
  }

  /**
   * {@code C += A·B} for four rows: the left factor's element (r, step) lies at {@code aStart + r ·
   * aRow + step · aStep}, the right factor's rows at {@code bStart + step · bRow}, those of C at
   * {@code cStart + r · cRow}. Strides may be negative.
   */
  static void addStrip(
      float[] a,
      int aStart,
      int aRow,
      int aStep,
      float[] b,
      int bStart,
      int bRow,
      int depth,
      float[] c,
      int cStart,
      int cRow,
      int columns) {
    int column = 0;
    for (; column + LANES < columns; column += 2 * LANES) {
      twoVectors(a, aStart, aRow, aStep, b, bStart + column, bRow, depth, c, cStart + column, cRow);
    }
    if (column < columns) {
      oneVector(a, aStart, aRow, aStep, b, bStart + column, bRow, depth, c, cStart + column, cRow);
    }
  }

  private static void twoVectors(
      float[] a,
      int aStart,
      int aRow,
      int aStep,
      float[] b,
      int bStart,
      int bRow,
      int depth,
      float[] c,
      int cStart,
      int cRow) {
    FloatVector sum00 = FloatVector.fromArray(SPECIES, c, cStart);
    FloatVector sum01 = FloatVector.fromArray(SPECIES, c, cStart + LANES);
    FloatVector sum10 = FloatVector.fromArray(SPECIES, c, cStart + cRow);
    FloatVector sum11 = FloatVector.fromArray(SPECIES, c, cStart + cRow + LANES);
    FloatVector sum20 = FloatVector.fromArray(SPECIES, c, cStart + 2 * cRow);
    FloatVector sum21 = FloatVector.fromArray(SPECIES, c, cStart + 2 * cRow + LANES);
    FloatVector sum30 = FloatVector.fromArray(SPECIES, c, cStart + 3 * cRow);
    FloatVector sum31 = FloatVector.fromArray(SPECIES, c, cStart + 3 * cRow + LANES);
    int aRow2 = 2 * aRow;
    int aRow3 = 3 * aRow;
    int i = aStart;
    int j = bStart;
    for (int step = 0; step < depth; step++) {
      FloatVector right0 = FloatVector.fromArray(SPECIES, b, j);
      FloatVector right1 = FloatVector.fromArray(SPECIES, b, j + LANES);
      FloatVector left = FloatVector.broadcast(SPECIES, a[i]);
      sum00 = left.fma(right0, sum00);
      sum01 = left.fma(right1, sum01);
      left = FloatVector.broadcast(SPECIES, a[i + aRow]);
      sum10 = left.fma(right0, sum10);
      sum11 = left.fma(right1, sum11);
      left = FloatVector.broadcast(SPECIES, a[i + aRow2]);
      sum20 = left.fma(right0, sum20);
      sum21 = left.fma(right1, sum21);
      left = FloatVector.broadcast(SPECIES, a[i + aRow3]);
      sum30 = left.fma(right0, sum30);
      sum31 = left.fma(right1, sum31);
      i += aStep;
      j += bRow;
    }
    sum00.intoArray(c, cStart);
    sum01.intoArray(c, cStart + LANES);
    sum10.intoArray(c, cStart + cRow);
    sum11.intoArray(c, cStart + cRow + LANES);
    sum20.intoArray(c, cStart + 2 * cRow);
    sum21.intoArray(c, cStart + 2 * cRow + LANES);
    sum30.intoArray(c, cStart + 3 * cRow);
    sum31.intoArray(c, cStart + 3 * cRow + LANES);
  }

  private static void oneVector(
      float[] a,
      int aStart,
      int aRow,
      int aStep,
      float[] b,
      int bStart,
      int bRow,
      int depth,
      float[] c,
      int cStart,
      int cRow) {
    FloatVector sum0 = FloatVector.fromArray(SPECIES, c, cStart);
    FloatVector sum1 = FloatVector.fromArray(SPECIES, c, cStart + cRow);
    FloatVector sum2 = FloatVector.fromArray(SPECIES, c, cStart + 2 * cRow);
    FloatVector sum3 = FloatVector.fromArray(SPECIES, c, cStart + 3 * cRow);
    int aRow2 = 2 * aRow;
    int aRow3 = 3 * aRow;
    int i = aStart;
    int j = bStart;
    for (int step = 0; step < depth; step++) {
      FloatVector right = FloatVector.fromArray(SPECIES, b, j);
      sum0 = FloatVector.broadcast(SPECIES, a[i]).fma(right, sum0);
      sum1 = FloatVector.broadcast(SPECIES, a[i + aRow]).fma(right, sum1);
      sum2 = FloatVector.broadcast(SPECIES, a[i + aRow2]).fma(right, sum2);
      sum3 = FloatVector.broadcast(SPECIES, a[i + aRow3]).fma(right, sum3);
      i += aStep;
      j += bRow;
    }
    sum0.intoArray(c, cStart);
    sum1.intoArray(c, cStart + cRow);
    sum2.intoArray(c, cStart + 2 * cRow);
    sum3.intoArray(c, cStart + 3 * cRow);
  }

  /**
   * Multiplies a strip with {@code keep}; apart, since a branch beside the sums costs registers.
   */
  private static void fade(float[] c, int start, int rowStep, int columns, float keep) {
    for (int row = start; row < start + STRIP * rowStep; row += rowStep) {
      if (keep == 0f) {
        Arrays.fill(c, row, row + columns, 0f);
      } else {
        for (int i = row; i < row + columns; i++) {
          c[i] *= keep;
        }
      }
    }
  }
}
