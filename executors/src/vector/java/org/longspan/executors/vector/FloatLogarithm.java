package org.longspan.executors.vector;

import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorSpecies;

/**
 * Logarithms of exactly rounded operations only, as {@link FloatExponential} and for its reason.
 * {@code log(1 + e) = 2 artanh(s)} with {@code s = e / (2 + e)}, at most 1/3, and for {@code 2
 * artanh(s) / s} a minimax polynomial of degree 4 in {@code s²}.
 *
 * <p>Written apart from its double form, whose polynomial is another one.
 *
 * <p>Threading: stateless.
 */
final class FloatLogarithm {
  private static final VectorSpecies<Float> LANES = FloatVector.SPECIES_PREFERRED;

  private static final float C0 = 2f;
  private static final float C1 = 0x1.5554ep-1f;
  private static final float C2 = 0x1.99dae6p-2f;
  private static final float C3 = 0x1.1e510ap-2f;
  private static final float C4 = 0x1.208bdp-2f;

  private FloatLogarithm() {}

  /** {@code e = min(x, 0) − log(1 + e)}, {@code 0 ≤ e ≤ 1}. */
  static void subtractLogOfOnePlus(float[] x, int xOffset, float[] e, int eOffset, int length) {
    FloatVector c0 = FloatVector.broadcast(LANES, C0);
    FloatVector c1 = FloatVector.broadcast(LANES, C1);
    FloatVector c2 = FloatVector.broadcast(LANES, C2);
    FloatVector c3 = FloatVector.broadcast(LANES, C3);
    FloatVector c4 = FloatVector.broadcast(LANES, C4);
    int i = 0;
    for (; i < LANES.loopBound(length); i += LANES.length()) {
      FloatVector value = FloatVector.fromArray(LANES, x, xOffset + i);
      FloatVector exponential = FloatVector.fromArray(LANES, e, eOffset + i);
      FloatVector s = exponential.div(exponential.add(2f));
      FloatVector square = s.mul(s);
      FloatVector factor = c4.fma(square, c3).fma(square, c2).fma(square, c1).fma(square, c0);
      value
          .blend(0f, value.compare(VectorOperators.GT, 0f))
          .sub(s.mul(factor))
          .intoArray(e, eOffset + i);
    }
    for (; i < length; i++) {
      float s = e[eOffset + i] / (e[eOffset + i] + 2f);
      float square = s * s;
      float factor = Math.fma(C4, square, C3);
      factor = Math.fma(factor, square, C2);
      factor = Math.fma(factor, square, C1);
      factor = Math.fma(factor, square, C0);
      float value = x[xOffset + i] > 0f ? 0f : x[xOffset + i];
      e[eOffset + i] = value - s * factor;
    }
  }
}
