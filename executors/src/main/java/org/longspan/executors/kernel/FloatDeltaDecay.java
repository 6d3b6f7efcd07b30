package org.longspan.executors.kernel;

import org.longspan.executors.memory.FloatMatrix;
import org.longspan.executors.vector.FloatNumber;
import org.longspan.executors.vector.FloatTile;

/**
 * What one head's gates leave over a chunk: {@code b_r}, of the state before the chunk at token r,
 * and {@code D_rs = b_r / b_s} for s ≤ r, of token s at token r. They are products of decays, each
 * at most 1, taken in double: nothing is divided, so that nothing overflows. Numbers too small for
 * a normal one are 0.
 *
 * <p>Threading: one thread at a time.
 */
final class FloatDeltaDecay {
  private final FloatTile pairs;
  private final float[] rise;
  private final float[] negatedRise;
  private final float[] fall;
  private final double[] row;
  private int length;

  /**
   * @param chunk most tokens of a chunk
   */
  FloatDeltaDecay(int chunk) {
    this.pairs = new FloatTile(chunk, chunk);
    this.rise = new float[chunk];
    this.negatedRise = new float[chunk];
    this.fall = new float[chunk];
    this.row = new double[chunk];
  }

  /**
   * @param gates logs, {@code [tokens, heads]}
   * @param length tokens from {@code start} on, at least 1
   */
  void load(FloatMatrix gates, int head, int start, int length) {
    this.length = length;
    float[] numbers = pairs.numbers();
    double reach = 1;
    for (int r = 0; r < length; r++) {
      double decay = StrictMath.exp(gates.get(start + r, head));
      reach = flushed(reach * decay);
      rise[r] = FloatNumber.of(reach);
      negatedRise[r] = -rise[r];
      int at = r * pairs.stride();
      for (int s = 0; s < r; s++) {
        row[s] = flushed(row[s] * decay);
        numbers[at + s] = FloatNumber.of(row[s]);
      }
      row[r] = 1;
      numbers[at + r] = 1f;
    }
    pairs.zeroBelow(length);
    System.arraycopy(numbers, (length - 1) * pairs.stride(), fall, 0, length);
  }

  private static double flushed(double power) {
    return power < Float.MIN_NORMAL ? 0 : power;
  }

  /** {@code D}; 0 right of the diagonal. */
  FloatTile pairs() {
    return pairs;
  }

  /** {@code b_r}. */
  float[] rise() {
    return rise;
  }

  /** {@code −b_r}. */
  float[] negatedRise() {
    return negatedRise;
  }

  /** {@code γ / b_s}: what is left of token s after the chunk. */
  float[] fall() {
    return fall;
  }

  /** {@code γ}: what is left after the chunk of the state before it. */
  float whole() {
    return rise[length - 1];
  }
}
