package org.longspan.executors.vector;

import java.util.Arrays;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorSpecies;

/**
 * What the delta rule does to tiles beside products: weighing pairs, solving a chunk's triangular
 * system, sums of rows and pairs. Sizes are the true ones; padding is computed as well.
 *
 * <p>Threading: stateless.
 */
public final class FloatDeltaTile {
  private static final VectorSpecies<Float> SPECIES = FloatVector.SPECIES_PREFERRED;
  private static final int LANES = SPECIES.length();
  private static final int STRIP = 4;

  private FloatDeltaTile() {}

  /**
   * Multiplies a triangular tile with {@code factor · weights}, element by element.
   *
   * @param weights 0 right of the diagonal
   */
  public static void weighTriangle(FloatTile tile, FloatTile weights, float factor, int size) {
    for (int row = 0; row < size; row++) {
      weigh(
          tile.numbers(),
          row * tile.stride(),
          weights.numbers(),
          row * weights.stride(),
          factor,
          row - row % STRIP + STRIP);
    }
  }

  /** As {@link #weighTriangle}, and the diagonal becomes 0. */
  public static void weighBelowDiagonal(FloatTile tile, FloatTile weights, float factor, int size) {
    weighTriangle(tile, weights, factor, size);
    for (int row = 0; row < size; row++) {
      tile.numbers()[row * tile.stride() + row] = 0f;
    }
  }

  private static void weigh(
      float[] numbers, int start, float[] weights, int weightStart, float factor, int columns) {
    for (int column = 0; column < columns; column += LANES) {
      FloatVector.fromArray(SPECIES, numbers, start + column)
          .mul(FloatVector.fromArray(SPECIES, weights, weightStart + column))
          .mul(factor)
          .intoArray(numbers, start + column);
    }
  }

  /** {@code out = a · b}, element by element of triangular tiles of one shape. */
  public static void multiplyTriangles(FloatTile a, FloatTile b, FloatTile out, int size) {
    for (int row = 0; row < size; row++) {
      int columns = row - row % STRIP + STRIP;
      multiply(a.numbers(), b.numbers(), out.numbers(), row * out.stride(), columns);
    }
  }

  private static void multiply(float[] a, float[] b, float[] out, int start, int columns) {
    for (int i = start; i < start + columns; i += LANES) {
      FloatVector.fromArray(SPECIES, a, i)
          .mul(FloatVector.fromArray(SPECIES, b, i))
          .intoArray(out, i);
    }
  }

  /** {@code out += a · b}, element by element of triangular tiles of one shape. */
  public static void addTriangleProducts(FloatTile a, FloatTile b, FloatTile out, int size) {
    for (int row = 0; row < size; row++) {
      int columns = row - row % STRIP + STRIP;
      addProducts(a.numbers(), b.numbers(), out.numbers(), row * out.stride(), columns);
    }
  }

  private static void addProducts(float[] a, float[] b, float[] out, int start, int columns) {
    for (int i = start; i < start + columns; i += LANES) {
      FloatVector.fromArray(SPECIES, a, i)
          .fma(FloatVector.fromArray(SPECIES, b, i), FloatVector.fromArray(SPECIES, out, i))
          .intoArray(out, i);
    }
  }

  /**
   * {@code sums_t += Σ_{s<t≤r} pairs_rs}: the pairs on both sides of t.
   *
   * @param columns scratch, {@code size} rounded up to whole vectors
   */
  public static void addCrossings(FloatTile pairs, float[] columns, double[] sums, int size) {
    Arrays.fill(columns, 0f);
    for (int row = size - 1; row > 0; row--) {
      add(pairs.numbers(), row * pairs.stride(), columns, row);
      sums[row] += sum(columns, row);
    }
  }

  private static void add(float[] row, int start, float[] columns, int count) {
    for (int column = 0; column < count; column += LANES) {
      FloatVector.fromArray(SPECIES, columns, column)
          .add(FloatVector.fromArray(SPECIES, row, start + column))
          .intoArray(columns, column);
    }
  }

  private static double sum(float[] numbers, int count) {
    double sum0 = 0;
    double sum1 = 0;
    double sum2 = 0;
    double sum3 = 0;
    int i = 0;
    for (; i + 3 < count; i += 4) {
      sum0 += numbers[i];
      sum1 += numbers[i + 1];
      sum2 += numbers[i + 2];
      sum3 += numbers[i + 3];
    }
    for (; i < count; i++) {
      sum0 += numbers[i];
    }
    return sum0 + sum1 + (sum2 + sum3);
  }

  /**
   * Solves {@code x_r = y_r + Σ_{s<r} pairs_rs β_s x_s} row after row.
   *
   * @param pairs triangular {@code [size, size]}, 0 on and right of the diagonal and in the rows
   *     below, up to whole strips
   * @param beta 0 beyond {@code size}, up to whole strips
   * @param solution y, overwritten with x: {@code [size, columns]}
   * @param scaled {@code β ⊙ x}, a tile of the shape of {@code solution}
   */
  public static void solve(
      FloatTile pairs, float[] beta, FloatTile solution, FloatTile scaled, int size, int columns) {
    int stride = pairs.stride();
    for (int row = 0; row < size; row += STRIP) {
      strip(pairs, row * stride + row, stride, 1, row, beta, row, 1, solution, scaled, columns);
    }
  }

  /**
   * Solves {@code x_s = y_s + Σ_{r>s} pairs_rs β_r x_r}, from the last row to the first; the
   * arguments are those of {@link #solve}.
   */
  public static void solveTransposed(
      FloatTile pairs, float[] beta, FloatTile solution, FloatTile scaled, int size, int columns) {
    int stride = pairs.stride();
    int strips = (size + STRIP - 1) / STRIP;
    for (int strip = strips - 1; strip >= 0; strip--) {
      int last = strip * STRIP + STRIP - 1;
      int solved = (strips - 1 - strip) * STRIP;
      int diagonal = last * stride + last;
      strip(pairs, diagonal, -1, -stride, solved, beta, last, -1, solution, scaled, columns);
    }
  }

  /**
   * Four rows of a solution, {@code row}, {@code row + direction} and so on, after {@code solved}
   * others: what row i takes from row j is {@code pairs[diagonal + i · pairRow + j · pairColumn]},
   * j counted from the first of the four, so that rows solved before have negative ones.
   */
  private static void strip(
      FloatTile pairs,
      int diagonal,
      int pairRow,
      int pairColumn,
      int solved,
      float[] beta,
      int row,
      int direction,
      FloatTile solution,
      FloatTile scaled,
      int columns) {
    float[] left = pairs.numbers();
    float[] right = scaled.numbers();
    float[] out = solution.numbers();
    int rowStep = direction * solution.stride();
    int start = row * solution.stride();
    int firstPair = diagonal - solved * pairColumn;
    int firstRow = start - solved * rowStep;
    FloatTileProduct.addStrip(
        left,
        firstPair,
        pairRow,
        pairColumn,
        right,
        firstRow,
        rowStep,
        solved,
        out,
        start,
        rowStep,
        columns);
    float beta0 = beta[row];
    float beta1 = beta[row + direction];
    float beta2 = beta[row + 2 * direction];
    float beta3 = beta[row + 3 * direction];
    for (int column = 0; column < columns; column += LANES) {
      finish(
          left,
          diagonal,
          pairRow,
          pairColumn,
          beta0,
          beta1,
          beta2,
          beta3,
          out,
          right,
          start + column,
          rowStep);
    }
  }

  /**
   * What the four rows take from each other; apart from the sums before, since the compiler keeps
   * vectors in registers in short methods only.
   */
  private static void finish(
      float[] pairs,
      int diagonal,
      int pairRow,
      int pairColumn,
      float beta0,
      float beta1,
      float beta2,
      float beta3,
      float[] x,
      float[] scaled,
      int start,
      int rowStep) {
    int start1 = start + rowStep;
    int start2 = start1 + rowStep;
    int start3 = start2 + rowStep;
    int pair1 = diagonal + pairRow;
    int pair2 = pair1 + pairRow;
    int pair3 = pair2 + pairRow;
    FloatVector w0 = FloatVector.fromArray(SPECIES, x, start).mul(beta0);
    FloatVector x1 = FloatVector.fromArray(SPECIES, x, start1);
    FloatVector x2 = FloatVector.fromArray(SPECIES, x, start2);
    FloatVector x3 = FloatVector.fromArray(SPECIES, x, start3);
    x1 = FloatVector.broadcast(SPECIES, pairs[pair1]).fma(w0, x1);
    FloatVector w1 = x1.mul(beta1);
    x2 = FloatVector.broadcast(SPECIES, pairs[pair2]).fma(w0, x2);
    x2 = FloatVector.broadcast(SPECIES, pairs[pair2 + pairColumn]).fma(w1, x2);
    FloatVector w2 = x2.mul(beta2);
    x3 = FloatVector.broadcast(SPECIES, pairs[pair3]).fma(w0, x3);
    x3 = FloatVector.broadcast(SPECIES, pairs[pair3 + pairColumn]).fma(w1, x3);
    x3 = FloatVector.broadcast(SPECIES, pairs[pair3 + 2 * pairColumn]).fma(w2, x3);
    x1.intoArray(x, start1);
    x2.intoArray(x, start2);
    x3.intoArray(x, start3);
    w0.intoArray(scaled, start);
    w1.intoArray(scaled, start1);
    w2.intoArray(scaled, start2);
    x3.mul(beta3).intoArray(scaled, start3);
  }

  /**
   * Sets numbers too small to be normal to 0, in {@code rows} rows and the columns {@code [from,
   * to)}.
   *
   * @return whether one other than 0 is left
   */
  public static boolean flush(FloatTile tile, int rows, int from, int to) {
    boolean isLeft = false;
    for (int row = 0; row < rows; row++) {
      isLeft |= flush(tile.numbers(), row * tile.stride() + from, to - from);
    }
    return isLeft;
  }

  private static boolean flush(float[] numbers, int start, int count) {
    int left = 0;
    for (int i = start; i < start + count; i++) {
      if (Math.abs(numbers[i]) < Float.MIN_NORMAL) {
        numbers[i] = 0f;
      } else {
        left++;
      }
    }
    return left > 0;
  }

  /**
   * {@code sums_r += a_r · b_r} for {@code rows} rows of two tiles, each product summed over
   * ascending columns in double.
   *
   * @param sums {@code rows} rounded up to whole strips
   */
  public static void addRowProducts(
      FloatTile a, FloatTile b, double[] sums, int rows, int columns) {
    for (int row = 0; row < rows; row += STRIP) {
      fourProducts(
          a.numbers(),
          row * a.stride(),
          a.stride(),
          b.numbers(),
          row * b.stride(),
          b.stride(),
          sums,
          row,
          columns);
    }
  }

  private static void fourProducts(
      float[] a,
      int aStart,
      int aRow,
      float[] b,
      int bStart,
      int bRow,
      double[] sums,
      int row,
      int columns) {
    double sum0 = 0;
    double sum1 = 0;
    double sum2 = 0;
    double sum3 = 0;
    int aRow2 = 2 * aRow;
    int aRow3 = 3 * aRow;
    int bRow2 = 2 * bRow;
    int bRow3 = 3 * bRow;
    int j = bStart;
    for (int i = aStart; i < aStart + columns; i++) {
      double x0 = a[i];
      double x1 = a[i + aRow];
      double x2 = a[i + aRow2];
      double x3 = a[i + aRow3];
      sum0 += x0 * b[j];
      sum1 += x1 * b[j + bRow];
      sum2 += x2 * b[j + bRow2];
      sum3 += x3 * b[j + bRow3];
      j++;
    }
    sums[row] += sum0;
    sums[row + 1] += sum1;
    sums[row + 2] += sum2;
    sums[row + 3] += sum3;
  }
}
