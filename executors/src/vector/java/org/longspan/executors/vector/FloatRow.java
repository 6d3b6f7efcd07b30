package org.longspan.executors.vector;

import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorShuffle;
import jdk.incubator.vector.VectorSpecies;

/**
 * Loops over pieces of rows, each {@code length} numbers from an offset on. Small static methods,
 * because the compiler keeps vectors in registers only while it can see a whole method. A sum's
 * order depends on its length only, and every other number is the same wherever in a row it lies.
 *
 * <p>Threading: stateless.
 */
public final class FloatRow {
  private static final VectorSpecies<Float> LANES = FloatVector.SPECIES_PREFERRED;

  private FloatRow() {}

  /** {@code Σ a·b}. */
  public static float dot(float[] a, int aOffset, float[] b, int bOffset, int length) {
    FloatVector sums = FloatVector.zero(LANES);
    FloatVector otherSums = FloatVector.zero(LANES);
    int i = 0;
    for (; i <= length - 2 * LANES.length(); i += 2 * LANES.length()) {
      int next = i + LANES.length();
      sums =
          FloatVector.fromArray(LANES, a, aOffset + i)
              .fma(FloatVector.fromArray(LANES, b, bOffset + i), sums);
      otherSums =
          FloatVector.fromArray(LANES, a, aOffset + next)
              .fma(FloatVector.fromArray(LANES, b, bOffset + next), otherSums);
    }
    if (i <= length - LANES.length()) {
      sums =
          FloatVector.fromArray(LANES, a, aOffset + i)
              .fma(FloatVector.fromArray(LANES, b, bOffset + i), sums);
      i += LANES.length();
    }
    sums = sums.add(otherSums);
    for (VectorShuffle<Float> fold : FloatFold.FOLDS) {
      sums = sums.add(sums.rearrange(fold));
    }
    float sum = sums.lane(0);
    for (; i < length; i++) {
      sum = Math.fma(a[aOffset + i], b[bOffset + i], sum);
    }
    return sum;
  }

  /** {@code out += factor · x}. */
  public static void addScaled(
      float factor, float[] x, int xOffset, float[] out, int outOffset, int length) {
    int i = 0;
    for (; i < LANES.loopBound(length); i += LANES.length()) {
      FloatVector.fromArray(LANES, x, xOffset + i)
          .fma(
              FloatVector.broadcast(LANES, factor),
              FloatVector.fromArray(LANES, out, outOffset + i))
          .intoArray(out, outOffset + i);
    }
    for (; i < length; i++) {
      out[outOffset + i] = Math.fma(factor, x[xOffset + i], out[outOffset + i]);
    }
  }

  /** {@code out += a · b}. */
  public static void addProduct(
      float[] a, int aOffset, float[] b, int bOffset, float[] out, int outOffset, int length) {
    int i = 0;
    for (; i < LANES.loopBound(length); i += LANES.length()) {
      FloatVector.fromArray(LANES, a, aOffset + i)
          .fma(
              FloatVector.fromArray(LANES, b, bOffset + i),
              FloatVector.fromArray(LANES, out, outOffset + i))
          .intoArray(out, outOffset + i);
    }
    for (; i < length; i++) {
      out[outOffset + i] = Math.fma(a[aOffset + i], b[bOffset + i], out[outOffset + i]);
    }
  }

  /** {@code out = factor · a · b}. */
  public static void scaledProduct(
      float factor,
      float[] a,
      int aOffset,
      float[] b,
      int bOffset,
      float[] out,
      int outOffset,
      int length) {
    int i = 0;
    for (; i < LANES.loopBound(length); i += LANES.length()) {
      FloatVector.fromArray(LANES, a, aOffset + i)
          .mul(factor)
          .mul(FloatVector.fromArray(LANES, b, bOffset + i))
          .intoArray(out, outOffset + i);
    }
    for (; i < length; i++) {
      out[outOffset + i] = factor * a[aOffset + i] * b[bOffset + i];
    }
  }

  /** {@code out += factor · a · b}. */
  public static void addScaledProduct(
      float factor,
      float[] a,
      int aOffset,
      float[] b,
      int bOffset,
      float[] out,
      int outOffset,
      int length) {
    int i = 0;
    for (; i < LANES.loopBound(length); i += LANES.length()) {
      FloatVector.fromArray(LANES, a, aOffset + i)
          .mul(factor)
          .fma(
              FloatVector.fromArray(LANES, b, bOffset + i),
              FloatVector.fromArray(LANES, out, outOffset + i))
          .intoArray(out, outOffset + i);
    }
    for (; i < length; i++) {
      out[outOffset + i] = Math.fma(factor * a[aOffset + i], b[bOffset + i], out[outOffset + i]);
    }
  }

  /** The greatest of them. */
  public static float maximum(float[] x, int xOffset, int length) {
    float maximum = x[xOffset];
    int i = 0;
    if (length >= LANES.length()) {
      FloatVector most = FloatVector.fromArray(LANES, x, xOffset);
      for (; i < LANES.loopBound(length); i += LANES.length()) {
        most = most.max(FloatVector.fromArray(LANES, x, xOffset + i));
      }
      maximum = most.reduceLanes(VectorOperators.MAX);
    }
    for (; i < length; i++) {
      maximum = Math.max(maximum, x[xOffset + i]);
    }
    return maximum;
  }

  /** {@code x = exp(x − shift)}; returns their sum. */
  public static float exponentials(float shift, float[] x, int xOffset, int length) {
    return FloatExponential.exponentials(1f, -shift, x, xOffset, x, xOffset, length);
  }

  /** {@code x ·= factor}. */
  public static void scale(float factor, float[] x, int xOffset, int length) {
    int i = 0;
    for (; i < LANES.loopBound(length); i += LANES.length()) {
      FloatVector.fromArray(LANES, x, xOffset + i).mul(factor).intoArray(x, xOffset + i);
    }
    for (; i < length; i++) {
      x[xOffset + i] *= factor;
    }
  }
}
