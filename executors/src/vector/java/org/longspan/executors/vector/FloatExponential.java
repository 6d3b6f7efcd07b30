package org.longspan.executors.vector;

import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorShuffle;
import jdk.incubator.vector.VectorSpecies;

/**
 * Exponentials of exactly rounded operations only, so that interpreted code, compiled code and a
 * row's tail find the same bits; {@link VectorOperators#EXP} is one function interpreted and
 * another compiled. {@code e^x = 2^n · e^r} with {@code n} the whole number next to {@code x log₂
 * e}, and for {@code e^r}, |r| ≤ ln 2 / 2, a minimax polynomial of degree 6.
 *
 * <p>Within 1 ulp. What would be less than 2^−125 is 0, what is greater than the greatest float is
 * infinite, NaN stays NaN.
 *
 * <p>Written apart from its double form, whose polynomial is another one.
 *
 * <p>Threading: stateless.
 */
final class FloatExponential {
  private static final VectorSpecies<Float> LANES = FloatVector.SPECIES_PREFERRED;

  /** Below it the exponential is under 2^−125. */
  private static final float LOWEST = -86.98f;

  /** Above it the exponential is infinite; up to it, its power of two fits the exponent. */
  private static final float HIGHEST = 89f;

  private static final float LOG2_E = 0x1.715476p0f;

  /**
   * Added to a small number it leaves that number, rounded to a whole one, in the low bits, where
   * it counts as an exponent: with the bias, less 1 because the polynomial is twice {@code e^r}.
   * Else the greatest results would need 2^128, which is infinite.
   */
  private static final float ROUNDER = 0x1.8p23f + Float.MAX_EXPONENT - 1;

  private static final int EXPONENT_SHIFT = 23;

  /** ln 2 in two parts, the first so short that its product with a whole number is exact. */
  private static final float MINUS_LN2 = -0x1.62e4p-1f;

  private static final float MINUS_LN2_REST = -0x1.7f7d1cp-20f;

  private static final float C0 = 2f;
  private static final float C1 = 2f;
  private static final float C2 = 1f;
  private static final float C3 = 0x1.55547cp-2f;
  private static final float C4 = 0x1.55547p-4f;
  private static final float C5 = 0x1.123d88p-6f;
  private static final float C6 = 0x1.6da75ep-9f;

  private FloatExponential() {}

  /**
   * {@code out = exp(factor · x + shift)}, the argument rounded once; {@code out} may be {@code x}.
   *
   * <p>The loop calls nothing but the Vector API: whatever else it called the compiler might not
   * inline, and vectors would go through the heap.
   *
   * @return the sum of what it wrote, in an order that depends on {@code length} only
   */
  static float exponentials(
      float factor, float shift, float[] x, int xOffset, float[] out, int outOffset, int length) {
    FloatVector factors = FloatVector.broadcast(LANES, factor);
    FloatVector shifts = FloatVector.broadcast(LANES, shift);
    FloatVector log2E = FloatVector.broadcast(LANES, LOG2_E);
    FloatVector rounder = FloatVector.broadcast(LANES, ROUNDER);
    FloatVector minusLn2 = FloatVector.broadcast(LANES, MINUS_LN2);
    FloatVector minusLn2Rest = FloatVector.broadcast(LANES, MINUS_LN2_REST);
    FloatVector c0 = FloatVector.broadcast(LANES, C0);
    FloatVector c1 = FloatVector.broadcast(LANES, C1);
    FloatVector c2 = FloatVector.broadcast(LANES, C2);
    FloatVector c3 = FloatVector.broadcast(LANES, C3);
    FloatVector c4 = FloatVector.broadcast(LANES, C4);
    FloatVector c5 = FloatVector.broadcast(LANES, C5);
    FloatVector c6 = FloatVector.broadcast(LANES, C6);
    FloatVector sums = FloatVector.zero(LANES);
    int i = 0;
    for (; i < LANES.loopBound(length); i += LANES.length()) {
      FloatVector power = FloatVector.fromArray(LANES, x, xOffset + i).fma(factors, shifts);
      FloatVector rounded = power.fma(log2E, rounder);
      FloatVector n = rounded.sub(rounder);
      FloatVector r = n.fma(minusLn2Rest, n.fma(minusLn2, power));
      FloatVector twice = c6.fma(r, c5).fma(r, c4).fma(r, c3).fma(r, c2).fma(r, c1).fma(r, c0);
      FloatVector half =
          rounded
              .reinterpretAsInts()
              .lanewise(VectorOperators.LSHL, EXPONENT_SHIFT)
              .reinterpretAsFloats();
      FloatVector value =
          twice
              .mul(half)
              .blend(0f, power.compare(VectorOperators.LT, LOWEST))
              .blend(Float.POSITIVE_INFINITY, power.compare(VectorOperators.GT, HIGHEST));
      value.intoArray(out, outOffset + i);
      sums = sums.add(value);
    }
    for (VectorShuffle<Float> fold : FloatFold.FOLDS) {
      sums = sums.add(sums.rearrange(fold));
    }
    float sum = sums.lane(0);
    for (; i < length; i++) {
      float value = exponential(Math.fma(x[xOffset + i], factor, shift));
      out[outOffset + i] = value;
      sum += value;
    }
    return sum;
  }

  /** What a lane does. */
  private static float exponential(float power) {
    if (power < LOWEST) {
      return 0f;
    }
    if (power > HIGHEST) {
      return Float.POSITIVE_INFINITY;
    }
    float rounded = Math.fma(power, LOG2_E, ROUNDER);
    float n = rounded - ROUNDER;
    float r = Math.fma(n, MINUS_LN2_REST, Math.fma(n, MINUS_LN2, power));
    float twice = Math.fma(C6, r, C5);
    twice = Math.fma(twice, r, C4);
    twice = Math.fma(twice, r, C3);
    twice = Math.fma(twice, r, C2);
    twice = Math.fma(twice, r, C1);
    twice = Math.fma(twice, r, C0);
    float half = Float.intBitsToFloat(Float.floatToRawIntBits(rounded) << EXPONENT_SHIFT);
    return twice * half;
  }
}
