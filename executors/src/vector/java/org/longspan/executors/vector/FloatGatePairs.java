package org.longspan.executors.vector;

import java.util.Arrays;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorShuffle;
import jdk.incubator.vector.VectorSpecies;

/**
 * Pairs of tokens of a short chunk under a gate for each column, {@code A_rs = Σ_i q_ri k_si
 * Π_{s<j≤r} a_ji}, and their gradients. A weight is the product of the steps {@code a ≤ 1} between
 * the two tokens: every key fades from one token to the next, so that nothing can overflow, and
 * nothing is lost beside a strong gate. Sizes are the true ones; padding columns must be zero in
 * queries and keys.
 *
 * <p>Threading: stateless.
 */
public final class FloatGatePairs {
  private static final VectorSpecies<Float> SPECIES = FloatVector.SPECIES_PREFERRED;
  private static final int LANES = SPECIES.length();
  private static final int STRIP = 4;

  private FloatGatePairs() {}

  /**
   * The triangular tile of the {@code A_rs}, s ≤ r.
   *
   * @param faded scratch of the keys' shape
   */
  public static void scores(
      FloatTile queries,
      FloatTile keys,
      FloatTile steps,
      int size,
      int columns,
      FloatTile faded,
      FloatTile scores) {
    int stride = keys.stride();
    for (int row = 0; row < size; row++) {
      int strip = row - row % STRIP;
      if (row == strip) {
        zeroStrip(faded, strip);
      }
      for (int column = 0; column <= strip; column += STRIP) {
        score(
            queries.numbers(),
            steps.numbers(),
            row * stride,
            faded.numbers(),
            column * stride,
            stride,
            columns,
            scores.numbers(),
            row * scores.stride() + column);
      }
      enter(keys, row, faded);
      scores.numbers()[row * scores.stride() + row] =
          FloatRow.dot(
              queries.numbers(),
              row * stride,
              keys.numbers(),
              row * stride,
              FloatTile.padded(columns));
    }
  }

  /**
   * The {@code A_rs}, s ≤ r, and with the gradients {@code G_rs} of those with s < r what they give
   * to the queries and keys: {@code dq_ri += Σ_{s<r} G_rs k_si Π a_ji} and {@code dk_si = Σ_{r>s}
   * G_rs q_ri Π a_ji}.
   *
   * @param faded scratch of the keys' shape
   */
  public static void gradients(
      FloatTile queries,
      FloatTile keys,
      FloatTile steps,
      FloatTile scoreGradients,
      int size,
      int columns,
      FloatTile faded,
      FloatTile scores,
      FloatTile queryGradients,
      FloatTile keyGradients) {
    int stride = keys.stride();
    for (int row = 0; row < size; row++) {
      int strip = row - row % STRIP;
      if (row == strip) {
        zeroStrip(faded, strip);
      }
      for (int column = 0; column <= strip; column += STRIP) {
        scoreWithGradient(
            queries.numbers(),
            steps.numbers(),
            row * stride,
            faded.numbers(),
            column * stride,
            stride,
            columns,
            scores.numbers(),
            scoreGradients.numbers(),
            row * scores.stride() + column,
            queryGradients.numbers());
      }
      enter(keys, row, faded);
      scores.numbers()[row * scores.stride() + row] =
          FloatRow.dot(
              queries.numbers(),
              row * stride,
              keys.numbers(),
              row * stride,
              FloatTile.padded(columns));
    }
    keyGradients(queries, steps, scoreGradients, size, columns, faded, keyGradients);
  }

  private static void keyGradients(
      FloatTile queries,
      FloatTile steps,
      FloatTile scoreGradients,
      int size,
      int columns,
      FloatTile faded,
      FloatTile keyGradients) {
    int stride = queries.stride();
    faded.zero();
    keyGradients.zero();
    for (int row = size - 2; row >= 0; row--) {
      enter(queries, row + 1, faded);
      for (int strip = (row + 1) / STRIP * STRIP; strip < size; strip += STRIP) {
        keyGradient(
            steps.numbers(),
            (row + 1) * stride,
            faded.numbers(),
            strip * stride,
            stride,
            columns,
            scoreGradients.numbers(),
            strip * scoreGradients.stride() + row,
            scoreGradients.stride(),
            keyGradients.numbers(),
            row * stride);
      }
    }
  }

  private static void zeroStrip(FloatTile tile, int row) {
    Arrays.fill(tile.numbers(), row * tile.stride(), (row + STRIP) * tile.stride(), 0f);
  }

  private static void enter(FloatTile from, int row, FloatTile faded) {
    System.arraycopy(
        from.numbers(), row * from.stride(), faded.numbers(), row * faded.stride(), faded.stride());
  }

  /** Four keys fade by one step, and meet a query. */
  private static void score(
      float[] queries,
      float[] steps,
      int start,
      float[] faded,
      int fadedStart,
      int stride,
      int columns,
      float[] scores,
      int scoreStart) {
    FloatVector sum0 = FloatVector.zero(SPECIES);
    FloatVector sum1 = FloatVector.zero(SPECIES);
    FloatVector sum2 = FloatVector.zero(SPECIES);
    FloatVector sum3 = FloatVector.zero(SPECIES);
    int stride2 = 2 * stride;
    int stride3 = 3 * stride;
    for (int column = 0; column < columns; column += LANES) {
      FloatVector query = FloatVector.fromArray(SPECIES, queries, start + column);
      FloatVector step = FloatVector.fromArray(SPECIES, steps, start + column);
      int i = fadedStart + column;
      FloatVector key0 = FloatVector.fromArray(SPECIES, faded, i).mul(step);
      FloatVector key1 = FloatVector.fromArray(SPECIES, faded, i + stride).mul(step);
      FloatVector key2 = FloatVector.fromArray(SPECIES, faded, i + stride2).mul(step);
      FloatVector key3 = FloatVector.fromArray(SPECIES, faded, i + stride3).mul(step);
      key0.intoArray(faded, i);
      key1.intoArray(faded, i + stride);
      key2.intoArray(faded, i + stride2);
      key3.intoArray(faded, i + stride3);
      sum0 = query.fma(key0, sum0);
      sum1 = query.fma(key1, sum1);
      sum2 = query.fma(key2, sum2);
      sum3 = query.fma(key3, sum3);
    }
    for (VectorShuffle<Float> fold : FloatFold.FOLDS) {
      sum0 = sum0.add(sum0.rearrange(fold));
      sum1 = sum1.add(sum1.rearrange(fold));
      sum2 = sum2.add(sum2.rearrange(fold));
      sum3 = sum3.add(sum3.rearrange(fold));
    }
    scores[scoreStart] = sum0.lane(0);
    scores[scoreStart + 1] = sum1.lane(0);
    scores[scoreStart + 2] = sum2.lane(0);
    scores[scoreStart + 3] = sum3.lane(0);
  }

  /** As {@link #score}, and the query's gradient from the four keys. */
  private static void scoreWithGradient(
      float[] queries,
      float[] steps,
      int start,
      float[] faded,
      int fadedStart,
      int stride,
      int columns,
      float[] scores,
      float[] scoreGradients,
      int scoreStart,
      float[] queryGradients) {
    FloatVector sum0 = FloatVector.zero(SPECIES);
    FloatVector sum1 = FloatVector.zero(SPECIES);
    FloatVector sum2 = FloatVector.zero(SPECIES);
    FloatVector sum3 = FloatVector.zero(SPECIES);
    FloatVector gradient0 = FloatVector.broadcast(SPECIES, scoreGradients[scoreStart]);
    FloatVector gradient1 = FloatVector.broadcast(SPECIES, scoreGradients[scoreStart + 1]);
    FloatVector gradient2 = FloatVector.broadcast(SPECIES, scoreGradients[scoreStart + 2]);
    FloatVector gradient3 = FloatVector.broadcast(SPECIES, scoreGradients[scoreStart + 3]);
    int stride2 = 2 * stride;
    int stride3 = 3 * stride;
    for (int column = 0; column < columns; column += LANES) {
      FloatVector query = FloatVector.fromArray(SPECIES, queries, start + column);
      FloatVector step = FloatVector.fromArray(SPECIES, steps, start + column);
      FloatVector out = FloatVector.fromArray(SPECIES, queryGradients, start + column);
      int i = fadedStart + column;
      FloatVector key = FloatVector.fromArray(SPECIES, faded, i).mul(step);
      key.intoArray(faded, i);
      sum0 = query.fma(key, sum0);
      out = gradient0.fma(key, out);
      key = FloatVector.fromArray(SPECIES, faded, i + stride).mul(step);
      key.intoArray(faded, i + stride);
      sum1 = query.fma(key, sum1);
      out = gradient1.fma(key, out);
      key = FloatVector.fromArray(SPECIES, faded, i + stride2).mul(step);
      key.intoArray(faded, i + stride2);
      sum2 = query.fma(key, sum2);
      out = gradient2.fma(key, out);
      key = FloatVector.fromArray(SPECIES, faded, i + stride3).mul(step);
      key.intoArray(faded, i + stride3);
      sum3 = query.fma(key, sum3);
      out = gradient3.fma(key, out);
      out.intoArray(queryGradients, start + column);
    }
    for (VectorShuffle<Float> fold : FloatFold.FOLDS) {
      sum0 = sum0.add(sum0.rearrange(fold));
      sum1 = sum1.add(sum1.rearrange(fold));
      sum2 = sum2.add(sum2.rearrange(fold));
      sum3 = sum3.add(sum3.rearrange(fold));
    }
    scores[scoreStart] = sum0.lane(0);
    scores[scoreStart + 1] = sum1.lane(0);
    scores[scoreStart + 2] = sum2.lane(0);
    scores[scoreStart + 3] = sum3.lane(0);
  }

  /** Four queries fade by one step towards an earlier key, and give to its gradient. */
  private static void keyGradient(
      float[] steps,
      int stepStart,
      float[] faded,
      int fadedStart,
      int stride,
      int columns,
      float[] scoreGradients,
      int scoreStart,
      int scoreStride,
      float[] keyGradients,
      int keyStart) {
    FloatVector gradient0 = FloatVector.broadcast(SPECIES, scoreGradients[scoreStart]);
    FloatVector gradient1 =
        FloatVector.broadcast(SPECIES, scoreGradients[scoreStart + scoreStride]);
    FloatVector gradient2 =
        FloatVector.broadcast(SPECIES, scoreGradients[scoreStart + 2 * scoreStride]);
    FloatVector gradient3 =
        FloatVector.broadcast(SPECIES, scoreGradients[scoreStart + 3 * scoreStride]);
    int stride2 = 2 * stride;
    int stride3 = 3 * stride;
    for (int column = 0; column < columns; column += LANES) {
      FloatVector step = FloatVector.fromArray(SPECIES, steps, stepStart + column);
      FloatVector out = FloatVector.fromArray(SPECIES, keyGradients, keyStart + column);
      int i = fadedStart + column;
      FloatVector query = FloatVector.fromArray(SPECIES, faded, i).mul(step);
      query.intoArray(faded, i);
      out = gradient0.fma(query, out);
      query = FloatVector.fromArray(SPECIES, faded, i + stride).mul(step);
      query.intoArray(faded, i + stride);
      out = gradient1.fma(query, out);
      query = FloatVector.fromArray(SPECIES, faded, i + stride2).mul(step);
      query.intoArray(faded, i + stride2);
      out = gradient2.fma(query, out);
      query = FloatVector.fromArray(SPECIES, faded, i + stride3).mul(step);
      query.intoArray(faded, i + stride3);
      out = gradient3.fma(query, out);
      out.intoArray(keyGradients, keyStart + column);
    }
  }
}
