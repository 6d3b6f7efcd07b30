package org.longspan.executors.vector;

import java.util.Arrays;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorShuffle;
import jdk.incubator.vector.VectorSpecies;

/**
 * What gates do to tiles: sums and exponentials of their logs, products with what comes of them,
 * and the sums over tokens that their gradients are. Rows are tokens; sizes are the true ones,
 * padding columns are written as well. Sums run over ascending rows, or descending ones where said.
 *
 * <p>Threading: stateless.
 */
public final class FloatGateTile {
  private static final VectorSpecies<Float> SPECIES = FloatVector.SPECIES_PREFERRED;
  private static final int LANES = SPECIES.length();
  private static final int STRIP = 4;
  private static final float ONE = 1f;

  private FloatGateTile() {}

  /** {@code x = exp(x)}; what is too small for a normal number becomes 0. */
  public static void exponentials(float[] x, int from, int length) {
    FloatRow.exponentials(0f, x, from, length);
  }

  /** {@link #exponentials(float[], int, int)} of whole rows. */
  public static void exponentials(FloatTile tile, int rows) {
    exponentials(tile.numbers(), 0, rows * tile.stride());
  }

  private static FloatVector flushed(FloatVector x) {
    return x.blend(0f, x.compare(VectorOperators.LT, Float.MIN_NORMAL));
  }

  /** {@code sums_i = Σ_r tile_ri}. */
  public static void sumRows(FloatTile tile, int rows, int columns, float[] sums) {
    for (int column = 0; column < columns; column += LANES) {
      sumColumns(tile.numbers(), column, tile.stride(), rows, sums);
    }
  }

  private static void sumColumns(float[] x, int column, int stride, int rows, float[] sums) {
    FloatVector sum = FloatVector.zero(SPECIES);
    for (int i = column; i < column + rows * stride; i += stride) {
      sum = sum.add(FloatVector.fromArray(SPECIES, x, i));
    }
    sum.intoArray(sums, column);
  }

  /** {@code to_r = Π_{j ≤ r} steps_j}. */
  public static void risingProducts(FloatTile steps, int rows, int columns, FloatTile to) {
    for (int column = 0; column < columns; column += LANES) {
      risingProducts(steps.numbers(), column, steps.stride(), rows, to.numbers());
    }
  }

  private static void risingProducts(
      float[] steps, int column, int stride, int rows, float[] products) {
    FloatVector product = FloatVector.broadcast(SPECIES, ONE);
    for (int i = column; i < column + rows * stride; i += stride) {
      product = flushed(product.mul(FloatVector.fromArray(SPECIES, steps, i)));
      product.intoArray(products, i);
    }
  }

  /** {@code to_s = Π_{j > s} steps_j}, from the last row to the first. */
  public static void fallingProducts(FloatTile steps, int rows, int columns, FloatTile to) {
    for (int column = 0; column < columns; column += LANES) {
      fallingProducts(steps.numbers(), column, steps.stride(), rows, to.numbers());
    }
  }

  private static void fallingProducts(
      float[] steps, int column, int stride, int rows, float[] products) {
    FloatVector product = FloatVector.broadcast(SPECIES, ONE);
    for (int i = column + (rows - 1) * stride; i >= column; i -= stride) {
      product.intoArray(products, i);
      product = flushed(product.mul(FloatVector.fromArray(SPECIES, steps, i)));
    }
  }

  /** {@code to = a ⊙ b}. */
  public static void multiply(FloatTile a, FloatTile b, int rows, int columns, FloatTile to) {
    for (int row = 0; row < rows; row++) {
      multiply(
          a.numbers(),
          row * a.stride(),
          b.numbers(),
          row * b.stride(),
          to.numbers(),
          row * to.stride(),
          columns);
    }
    to.zeroBelow(rows);
  }

  /** {@code to_ri = from_ri · factors_i}. */
  public static void multiplyColumns(
      FloatTile from, float[] factors, int rows, int columns, FloatTile to) {
    for (int row = 0; row < rows; row++) {
      multiply(
          from.numbers(),
          row * from.stride(),
          factors,
          0,
          to.numbers(),
          row * to.stride(),
          columns);
    }
    to.zeroBelow(rows);
  }

  /** {@code tile ⊙= weights}, both triangular. */
  public static void multiplyTriangle(FloatTile tile, FloatTile weights, int size) {
    for (int row = 0; row < size; row++) {
      int start = row * tile.stride();
      multiply(
          tile.numbers(),
          start,
          weights.numbers(),
          row * weights.stride(),
          tile.numbers(),
          start,
          stripEnd(row));
    }
  }

  private static void multiply(
      float[] a, int aStart, float[] b, int bStart, float[] to, int toStart, int columns) {
    for (int column = 0; column < columns; column += LANES) {
      FloatVector.fromArray(SPECIES, a, aStart + column)
          .mul(FloatVector.fromArray(SPECIES, b, bStart + column))
          .intoArray(to, toStart + column);
    }
  }

  /** {@code to += from}. */
  public static void add(FloatTile from, int rows, int columns, FloatTile to) {
    for (int row = 0; row < rows; row++) {
      add(from.numbers(), row * from.stride(), to.numbers(), row * to.stride(), columns);
    }
  }

  private static void add(float[] from, int fromStart, float[] to, int toStart, int columns) {
    for (int column = 0; column < columns; column += LANES) {
      FloatVector.fromArray(SPECIES, to, toStart + column)
          .add(FloatVector.fromArray(SPECIES, from, fromStart + column))
          .intoArray(to, toStart + column);
    }
  }

  /**
   * {@code decays_rs = exp(Σ_{s < j ≤ r} logs_j)} for s ≤ r, 0 in the rest of the diagonal's strip.
   * Each sum is one of its own terms, not a difference of sums, so a strong gate costs the others
   * nothing.
   *
   * @param sums scratch, of the padded size
   */
  public static void pairDecays(float[] logs, int size, float[] sums, FloatTile decays) {
    float[] out = decays.numbers();
    Arrays.fill(sums, 0f);
    for (int row = 0; row < size; row++) {
      int start = row * decays.stride();
      addTo(logs[row], sums, FloatTile.padded(row));
      sums[row] = 0f;
      System.arraycopy(sums, 0, out, start, FloatTile.padded(row + 1));
      exponentials(out, start, FloatTile.padded(row + 1));
      Arrays.fill(out, start + row + 1, start + stripEnd(row), 0f);
    }
  }

  private static void addTo(float term, float[] sums, int length) {
    for (int i = 0; i < length; i += LANES) {
      FloatVector.fromArray(SPECIES, sums, i).add(term).intoArray(sums, i);
    }
  }

  private static int stripEnd(int row) {
    return row - row % STRIP + STRIP;
  }

  /** {@code products_i = factors_i Σ_r a_ri b_ri}. */
  public static void columnProducts(
      FloatTile a, FloatTile b, int rows, int columns, float[] factors, float[] products) {
    for (int column = 0; column < columns; column += LANES) {
      columnProducts(a.numbers(), b.numbers(), column, a.stride(), rows, factors, products);
    }
  }

  private static void columnProducts(
      float[] a, float[] b, int column, int stride, int rows, float[] factors, float[] products) {
    FloatVector sum = FloatVector.zero(SPECIES);
    for (int i = column; i < column + rows * stride; i += stride) {
      sum = FloatVector.fromArray(SPECIES, a, i).fma(FloatVector.fromArray(SPECIES, b, i), sum);
    }
    sum.mul(FloatVector.fromArray(SPECIES, factors, column)).intoArray(products, column);
  }

  /** {@code to_ti = sums_i + Σ_{s < t} a_si b_si}; {@code sums} then holds what goes on after. */
  public static void sumsBefore(
      FloatTile a, FloatTile b, float[] sums, int rows, int columns, FloatTile to) {
    for (int column = 0; column < columns; column += LANES) {
      sumsBefore(a.numbers(), b.numbers(), sums, column, a.stride(), rows, to.numbers());
    }
  }

  private static void sumsBefore(
      float[] a, float[] b, float[] sums, int column, int stride, int rows, float[] to) {
    FloatVector sum = FloatVector.fromArray(SPECIES, sums, column);
    for (int i = column; i < column + rows * stride; i += stride) {
      sum.intoArray(to, i);
      sum = FloatVector.fromArray(SPECIES, a, i).fma(FloatVector.fromArray(SPECIES, b, i), sum);
    }
    sum.intoArray(sums, column);
  }

  /** {@code to_ti += Σ_{r ≥ t} (a_ri b_ri − c_ri d_ri)}, from the last row to the first. */
  public static void addSumsFrom(
      FloatTile a, FloatTile b, FloatTile c, FloatTile d, int rows, int columns, FloatTile to) {
    for (int column = 0; column < columns; column += LANES) {
      addSumsFrom(
          a.numbers(),
          b.numbers(),
          c.numbers(),
          d.numbers(),
          column,
          a.stride(),
          rows,
          to.numbers());
    }
  }

  private static void addSumsFrom(
      float[] a, float[] b, float[] c, float[] d, int column, int stride, int rows, float[] to) {
    FloatVector sum = FloatVector.zero(SPECIES);
    for (int i = column + (rows - 1) * stride; i >= column; i -= stride) {
      sum = FloatVector.fromArray(SPECIES, a, i).fma(FloatVector.fromArray(SPECIES, b, i), sum);
      sum =
          FloatVector.fromArray(SPECIES, c, i).neg().fma(FloatVector.fromArray(SPECIES, d, i), sum);
      sum.add(FloatVector.fromArray(SPECIES, to, i)).intoArray(to, i);
    }
  }

  /** {@code sums_r = Σ_i tile_ri}. */
  public static void sumColumns(FloatTile tile, int rows, int columns, float[] sums) {
    for (int row = 0; row < rows; row++) {
      sums[row] = sum(tile.numbers(), row * tile.stride(), columns);
    }
  }

  private static float sum(float[] x, int start, int columns) {
    FloatVector sum = FloatVector.zero(SPECIES);
    for (int i = start; i < start + columns; i += LANES) {
      sum = sum.add(FloatVector.fromArray(SPECIES, x, i));
    }
    for (VectorShuffle<Float> fold : FloatFold.FOLDS) {
      sum = sum.add(sum.rearrange(fold));
    }
    return sum.lane(0);
  }
}
