package org.longspan.executors.vector;

import jdk.incubator.vector.DoubleVector;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorSpecies;

/**
 * Logarithms of exactly rounded operations only, as {@link DoubleExponential} and for its reason.
 * {@code log(1 + e) = 2 artanh(s)} with {@code s = e / (2 + e)}, at most 1/3, and for {@code 2
 * artanh(s) / s} a minimax polynomial of degree 10 in {@code s²}.
 *
 * <p>Written apart from its float form, whose polynomial is another one.
 *
 * <p>Threading: stateless.
 */
final class DoubleLogarithm {
  private static final VectorSpecies<Double> LANES = DoubleVector.SPECIES_PREFERRED;

  private static final double C0 = 2d;
  private static final double C1 = 0x1.5555555555525p-1;
  private static final double C2 = 0x1.99999999a1f88p-2;
  private static final double C3 = 0x1.2492492004a5ap-2;
  private static final double C4 = 0x1.c71c74505bd9p-3;
  private static final double C5 = 0x1.745cae0db49d5p-3;
  private static final double C6 = 0x1.3b1e4888088bcp-3;
  private static final double C7 = 0x1.1062d74ad1593p-3;
  private static final double C8 = 0x1.f01e24b37286fp-4;
  private static final double C9 = 0x1.549c3c93b8e63p-4;
  private static final double C10 = 0x1.5d63e433471d6p-3;

  private DoubleLogarithm() {}

  /** {@code e = min(x, 0) − log(1 + e)}, {@code 0 ≤ e ≤ 1}. */
  static void subtractLogOfOnePlus(double[] x, int xOffset, double[] e, int eOffset, int length) {
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
    int i = 0;
    for (; i < LANES.loopBound(length); i += LANES.length()) {
      DoubleVector value = DoubleVector.fromArray(LANES, x, xOffset + i);
      DoubleVector exponential = DoubleVector.fromArray(LANES, e, eOffset + i);
      DoubleVector s = exponential.div(exponential.add(2d));
      DoubleVector square = s.mul(s);
      DoubleVector factor =
          c10.fma(square, c9)
              .fma(square, c8)
              .fma(square, c7)
              .fma(square, c6)
              .fma(square, c5)
              .fma(square, c4)
              .fma(square, c3)
              .fma(square, c2)
              .fma(square, c1)
              .fma(square, c0);
      value
          .blend(0d, value.compare(VectorOperators.GT, 0d))
          .sub(s.mul(factor))
          .intoArray(e, eOffset + i);
    }
    for (; i < length; i++) {
      double s = e[eOffset + i] / (e[eOffset + i] + 2d);
      double square = s * s;
      double factor = Math.fma(C10, square, C9);
      factor = Math.fma(factor, square, C8);
      factor = Math.fma(factor, square, C7);
      factor = Math.fma(factor, square, C6);
      factor = Math.fma(factor, square, C5);
      factor = Math.fma(factor, square, C4);
      factor = Math.fma(factor, square, C3);
      factor = Math.fma(factor, square, C2);
      factor = Math.fma(factor, square, C1);
      factor = Math.fma(factor, square, C0);
      double value = x[xOffset + i] > 0d ? 0d : x[xOffset + i];
      e[eOffset + i] = value - s * factor;
    }
  }
}
