package org.longspan.executors.vector;

import java.util.Arrays;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorSpecies;

/**
 * Softmax over one row of a tile at a time: exponentials of whole padded rows, what is masked being
 * minus infinity, whose exponential is 0.
 *
 * <p>Threading: stateless.
 */
public final class FloatTileSoftmax {
  private static final VectorSpecies<Float> SPECIES = FloatVector.SPECIES_PREFERRED;
  private static final int LANES = SPECIES.length();

  private FloatTileSoftmax() {}

  /** Sets what lies outside {@code [from, to)} of a row of {@code columns} to {@code value}. */
  public static void fillOutside(
      FloatTile tile, int row, int from, int to, int columns, float value) {
    int start = row * tile.stride();
    Arrays.fill(tile.numbers(), start, start + from, value);
    Arrays.fill(tile.numbers(), start + to, start + FloatTile.padded(columns), value);
  }

  /** The greatest number of a row, padding included. */
  public static float maximum(FloatTile tile, int row, int columns) {
    return maximum(tile.numbers(), row * tile.stride(), columns);
  }

  private static float maximum(float[] x, int start, int columns) {
    FloatVector most = FloatVector.fromArray(SPECIES, x, start);
    for (int i = LANES; i < columns; i += LANES) {
      most = most.max(FloatVector.fromArray(SPECIES, x, start + i));
    }
    return most.reduceLanes(VectorOperators.MAX);
  }

  /** {@code x = exp(x − shift)} over a row and its padding; returns their sum. */
  public static float exponentials(FloatTile tile, int row, int columns, float shift) {
    return exponentials(tile.numbers(), row * tile.stride(), columns, shift);
  }

  private static float exponentials(float[] x, int start, int columns, float shift) {
    FloatVector sums = FloatVector.zero(SPECIES);
    for (int i = 0; i < columns; i += LANES) {
      FloatVector value =
          FloatVector.fromArray(SPECIES, x, start + i).sub(shift).lanewise(VectorOperators.EXP);
      value.intoArray(x, start + i);
      sums = sums.add(value);
    }
    return sums.reduceLanes(VectorOperators.ADD);
  }

  /** {@code x ·= factor} over a row. */
  public static void scale(FloatTile tile, int row, int columns, float factor) {
    scale(tile.numbers(), row * tile.stride(), columns, factor);
  }

  private static void scale(float[] x, int start, int columns, float factor) {
    for (int i = 0; i < columns; i += LANES) {
      FloatVector.fromArray(SPECIES, x, start + i).mul(factor).intoArray(x, start + i);
    }
  }

  /** {@code Σ a·b} over a row of two tiles of one shape. */
  public static float dot(FloatTile a, FloatTile b, int row, int columns) {
    return dot(a.numbers(), b.numbers(), row * a.stride(), columns);
  }

  private static float dot(float[] a, float[] b, int start, int columns) {
    FloatVector sums = FloatVector.zero(SPECIES);
    for (int i = 0; i < columns; i += LANES) {
      sums =
          FloatVector.fromArray(SPECIES, a, start + i)
              .fma(FloatVector.fromArray(SPECIES, b, start + i), sums);
    }
    return sums.reduceLanes(VectorOperators.ADD);
  }

  /** {@code gradient = p · (gradient − mean)} over a row of two tiles of one shape. */
  public static void gradient(FloatTile p, FloatTile gradient, int row, int columns, float mean) {
    gradient(p.numbers(), gradient.numbers(), row * p.stride(), columns, mean);
  }

  private static void gradient(float[] p, float[] gradient, int start, int columns, float mean) {
    for (int i = 0; i < columns; i += LANES) {
      FloatVector.fromArray(SPECIES, gradient, start + i)
          .sub(mean)
          .mul(FloatVector.fromArray(SPECIES, p, start + i))
          .intoArray(gradient, start + i);
    }
  }
}
