package org.longspan.executors.kernel;

import org.longspan.executors.memory.Matrix;
import org.longspan.executors.vector.FloatNumber;
import org.longspan.executors.vector.FloatTile;

/**
 * The powers of one head's decay {@code λ = exp(−slope)}. Each comes from its own exponential, so
 * that no power is a quotient: {@code λ^−r} overflows where {@code λ^(r−s)} does not. Powers too
 * small for a normal number are 0, and what they weigh is skipped. Immutable.
 */
final class FloatDecay {
  private final double slope;
  private final float[] rise;
  private final float[] pairs;
  private final int middle;

  /**
   * @param slope at least 0
   * @param chunk tokens in a chunk
   */
  FloatDecay(double slope, int chunk) {
    this.slope = slope;
    int size = FloatTile.padded(chunk);
    this.middle = size - 1;
    this.rise = new float[size];
    this.pairs = new float[2 * size];
    for (int i = 0; i < size; i++) {
      rise[i] = power(i + 1L);
      pairs[middle - i] = power(i);
    }
  }

  /** {@code λ^exponent}. */
  float power(long exponent) {
    double power = Math.exp(-slope * exponent);
    return power < Float.MIN_NORMAL ? 0f : FloatNumber.of(power);
  }

  /** Writes {@code λ^tokens} to {@code rows} rows; 0 where a document starts in between. */
  void writeTransition(Documents documents, Matrix transition, int first, int rows) {
    double factor = documents.passesThrough() ? power(documents.tokens()) : 0;
    for (int row = first; row < first + rows; row++) {
      transition.put(row, 0, factor);
    }
  }

  /** {@code λ^(r+1)} at r: how the state before a chunk reaches its token r. */
  float[] rise() {
    return rise;
  }

  /** {@code λ^(r−s)} at {@code middle + s − r} for s ≤ r, and 0 for s > r. */
  float[] pairs() {
    return pairs;
  }

  int middle() {
    return middle;
  }

  /**
   * Where in {@link #pairs()} the powers {@code λ^(length−1−s)}, s = 0, 1, …, start: how token s of
   * a chunk of that length reaches the state after it.
   */
  int fallOffset(int length) {
    return middle + 1 - length;
  }
}
