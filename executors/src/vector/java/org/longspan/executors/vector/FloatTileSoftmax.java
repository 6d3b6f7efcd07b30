package org.longspan.executors.vector;

import java.util.Arrays;
import jdk.incubator.vector.FloatVector;
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
    return FloatRow.maximum(tile.numbers(), row * tile.stride(), FloatTile.padded(columns));
  }

  /** {@code x = exp(x − shift)} over a row and its padding; returns their sum. */
  public static float exponentials(FloatTile tile, int row, int columns, float shift) {
    return FloatRow.exponentials(
        shift, tile.numbers(), row * tile.stride(), FloatTile.padded(columns));
  }

  /** {@code x ·= factor} over a row. */
  public static void scale(FloatTile tile, int row, int columns, float factor) {
    FloatRow.scale(factor, tile.numbers(), row * tile.stride(), FloatTile.padded(columns));
  }

  /** {@code Σ a·b} over a row of two tiles of one shape. */
  public static float dot(FloatTile a, FloatTile b, int row, int columns) {
    int start = row * a.stride();
    return FloatRow.dot(a.numbers(), start, b.numbers(), start, FloatTile.padded(columns));
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
