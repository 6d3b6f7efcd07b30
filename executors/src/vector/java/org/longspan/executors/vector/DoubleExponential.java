package org.longspan.executors.vector;

import jdk.incubator.vector.DoubleVector;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorShuffle;
import jdk.incubator.vector.VectorSpecies;

/**
 * Exponentials of exactly rounded operations only, so that interpreted code, compiled code and a
 * row's tail find the same bits; {@link VectorOperators#EXP} is one function interpreted and
 * another compiled. {@code e^x = 2^n · e^r} with {@code n} the whole number next to {@code x log₂
 * e}, and for {@code e^r}, |r| ≤ ln 2 / 2, a minimax polynomial of degree 11.
 *
 * <p>Within 1 ulp. What would be less than 2^−1021 is 0, what is greater than the greatest double
 * is infinite, NaN stays NaN.
 *
 * <p>Written apart from its float form, whose polynomial is another one.
 *
 * <p>Threading: stateless.
 */
final class DoubleExponential {
  private static final VectorSpecies<Double> LANES = DoubleVector.SPECIES_PREFERRED;

  /** Below it the exponential is under 2^−1021. */
  private static final double LOWEST = -708d;

  /** Above it the exponential is infinite; up to it, its power of two fits the exponent. */
  private static final double HIGHEST = 710d;

  private static final double LOG2_E = 0x1.71547652b82fep0;

  /**
   * Added to a small number it leaves that number, rounded to a whole one, in the low bits, where
   * it counts as an exponent: with the bias, less 1 because the polynomial is twice {@code e^r}.
   * Else the greatest results would need 2^1024, which is infinite.
   */
  private static final double ROUNDER = 0x1.8p52 + Double.MAX_EXPONENT - 1;

  private static final int EXPONENT_SHIFT = 52;

  /** ln 2 in two parts, the first so short that its product with a whole number is exact. */
  private static final double MINUS_LN2 = -0x1.62e42feep-1;

  private static final double MINUS_LN2_REST = -0x1.a39ef35793c76p-33;

  private static final double C0 = 2d;
  private static final double C1 = 2d;
  private static final double C2 = 0x1.0000000000005p0;
  private static final double C3 = 0x1.555555555555ep-2;
  private static final double C4 = 0x1.55555555520adp-4;
  private static final double C5 = 0x1.111111110e365p-6;
  private static final double C6 = 0x1.6c16c17f4438bp-9;
  private static final double C7 = 0x1.a01a01b6a29ccp-12;
  private static final double C8 = 0x1.a019a668be9f1p-15;
  private static final double C9 = 0x1.71dde8ad76566p-18;
  private static final double C10 = 0x1.28a2c25970fb1p-21;
  private static final double C11 = 0x1.af7863e098718p-25;

  private DoubleExponential() {}

  /**
   * {@code out = exp(factor · x + shift)}, the argument rounded once; {@code out} may be {@code x}.
   *
   * <p>The loop calls nothing but the Vector API: whatever else it called the compiler might not
   * inline, and vectors would go through the heap.
   *
   * @return the sum of what it wrote, in an order that depends on {@code length} only
   */
  static double exponentials(
      double factor,
      double shift,
      double[] x,
      int xOffset,
      double[] out,
      int outOffset,
      int length) {
    DoubleVector factors = DoubleVector.broadcast(LANES, factor);
    DoubleVector shifts = DoubleVector.broadcast(LANES, shift);
    DoubleVector log2E = DoubleVector.broadcast(LANES, LOG2_E);
    DoubleVector rounder = DoubleVector.broadcast(LANES, ROUNDER);
    DoubleVector minusLn2 = DoubleVector.broadcast(LANES, MINUS_LN2);
    DoubleVector minusLn2Rest = DoubleVector.broadcast(LANES, MINUS_LN2_REST);
    DoubleVector c0 = DoubleVector.broadcast(LANES, C0);
    DoubleVector c1 = DoubleVector.broadcast(LANES, C1);
    DoubleVector c2 = DoubleVector.broadcast(LANES, C2);
    DoubleVector c3 = DoubleVector.broadcast(LANES, C3);
    DoubleVector c4 = DoubleVector.broadcast(LANES, C4);
    DoubleVector c5 = DoubleVector.broadcast(LANES, C5);
    DoubleVector c6 = DoubleVector.broadcast(LANES, C6);
    DoubleVector c7 = DoubleVector.broadcast(LANES, C7);
    DoubleVector c8 = DoubleVector.broadcast(LANES, C8);
    DoubleVector c9 = DoubleVector.broadcast(LANES, C9);
    DoubleVector c10 = DoubleVector.broadcast(LANES, C10);
    DoubleVector c11 = DoubleVector.broadcast(LANES, C11);
    DoubleVector sums = DoubleVector.zero(LANES);
    int i = 0;
    for (; i < LANES.loopBound(length); i += LANES.length()) {
      DoubleVector power = DoubleVector.fromArray(LANES, x, xOffset + i).fma(factors, shifts);
      DoubleVector rounded = power.fma(log2E, rounder);
      DoubleVector n = rounded.sub(rounder);
      DoubleVector r = n.fma(minusLn2Rest, n.fma(minusLn2, power));
      DoubleVector twice =
          c11.fma(r, c10)
              .fma(r, c9)
              .fma(r, c8)
              .fma(r, c7)
              .fma(r, c6)
              .fma(r, c5)
              .fma(r, c4)
              .fma(r, c3)
              .fma(r, c2)
              .fma(r, c1)
              .fma(r, c0);
      DoubleVector half =
          rounded
              .reinterpretAsLongs()
              .lanewise(VectorOperators.LSHL, EXPONENT_SHIFT)
              .reinterpretAsDoubles();
      DoubleVector value =
          twice
              .mul(half)
              .blend(0d, power.compare(VectorOperators.LT, LOWEST))
              .blend(Double.POSITIVE_INFINITY, power.compare(VectorOperators.GT, HIGHEST));
      value.intoArray(out, outOffset + i);
      sums = sums.add(value);
    }
    for (VectorShuffle<Double> fold : DoubleFold.FOLDS) {
      sums = sums.add(sums.rearrange(fold));
    }
    double sum = sums.lane(0);
    for (; i < length; i++) {
      double value = exponential(Math.fma(x[xOffset + i], factor, shift));
      out[outOffset + i] = value;
      sum += value;
    }
    return sum;
  }

  /** What a lane does. */
  private static double exponential(double power) {
    if (power < LOWEST) {
      return 0d;
    }
    if (power > HIGHEST) {
      return Double.POSITIVE_INFINITY;
    }
    double rounded = Math.fma(power, LOG2_E, ROUNDER);
    double n = rounded - ROUNDER;
    double r = Math.fma(n, MINUS_LN2_REST, Math.fma(n, MINUS_LN2, power));
    double twice = Math.fma(C11, r, C10);
    twice = Math.fma(twice, r, C9);
    twice = Math.fma(twice, r, C8);
    twice = Math.fma(twice, r, C7);
    twice = Math.fma(twice, r, C6);
    twice = Math.fma(twice, r, C5);
    twice = Math.fma(twice, r, C4);
    twice = Math.fma(twice, r, C3);
    twice = Math.fma(twice, r, C2);
    twice = Math.fma(twice, r, C1);
    twice = Math.fma(twice, r, C0);
    double half = Double.longBitsToDouble(Double.doubleToRawLongBits(rounded) << EXPONENT_SHIFT);
    return twice * half;
  }
}
