package org.longspan.executors.vector;

import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorSpecies;

/**
 * Loops over pieces of rows, each {@code length} numbers from an offset on. Small static methods,
 * because the compiler keeps vectors in registers only while it can see a whole method.
 *
 * <p>Threading: stateless.
 */
public final class FloatRow {
  private static final VectorSpecies<Float> LANES = FloatVector.SPECIES_PREFERRED;
  private static final float ONE = 1f;

  private FloatRow() {}

  /** {@code Σ a·b}. */
  public static float dot(float[] a, int aOffset, float[] b, int bOffset, int length) {
    FloatVector sums = FloatVector.zero(LANES);
    int i = 0;
    for (; i < LANES.loopBound(length); i += LANES.length()) {
      sums =
          FloatVector.fromArray(LANES, a, aOffset + i)
              .fma(FloatVector.fromArray(LANES, b, bOffset + i), sums);
    }
    float sum = sums.reduceLanes(VectorOperators.ADD);
    for (; i < length; i++) {
      sum += a[aOffset + i] * b[bOffset + i];
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
      out[outOffset + i] += factor * x[xOffset + i];
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
      out[outOffset + i] += a[aOffset + i] * b[bOffset + i];
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
      out[outOffset + i] += factor * a[aOffset + i] * b[bOffset + i];
    }
  }

  private static FloatVector sigmoid(FloatVector x) {
    return FloatVector.broadcast(LANES, ONE).div(x.neg().lanewise(VectorOperators.EXP).add(ONE));
  }

  private static float sigmoid(float x) {
    return FloatNumber.of(1 / (1 + Math.exp(-x)));
  }

  /** {@code out = x · σ(x)}. */
  public static void silu(float[] x, int xOffset, float[] out, int outOffset, int length) {
    int i = 0;
    for (; i < LANES.loopBound(length); i += LANES.length()) {
      FloatVector value = FloatVector.fromArray(LANES, x, xOffset + i);
      value.div(value.neg().lanewise(VectorOperators.EXP).add(ONE)).intoArray(out, outOffset + i);
    }
    for (; i < length; i++) {
      out[outOffset + i] = x[xOffset + i] * sigmoid(x[xOffset + i]);
    }
  }

  /** {@code gradient ·= silu′(x)}, {@code silu′ = σ + x σ (1 − σ)}. */
  public static void siluGradient(
      float[] x, int xOffset, float[] gradient, int gradientOffset, int length) {
    int i = 0;
    for (; i < LANES.loopBound(length); i += LANES.length()) {
      FloatVector value = FloatVector.fromArray(LANES, x, xOffset + i);
      FloatVector sigmoid = sigmoid(value);
      FloatVector slope =
          value.mul(FloatVector.broadcast(LANES, ONE).sub(sigmoid)).add(ONE).mul(sigmoid);
      FloatVector.fromArray(LANES, gradient, gradientOffset + i)
          .mul(slope)
          .intoArray(gradient, gradientOffset + i);
    }
    for (; i < length; i++) {
      float value = x[xOffset + i];
      float sigmoid = sigmoid(value);
      gradient[gradientOffset + i] *= sigmoid * (ONE + value * (ONE - sigmoid));
    }
  }

  /** {@code out = silu(gate) · value}. */
  public static void swiglu(
      float[] gate,
      int gateOffset,
      float[] value,
      int valueOffset,
      float[] out,
      int outOffset,
      int length) {
    int i = 0;
    for (; i < LANES.loopBound(length); i += LANES.length()) {
      FloatVector x = FloatVector.fromArray(LANES, gate, gateOffset + i);
      x.div(x.neg().lanewise(VectorOperators.EXP).add(ONE))
          .mul(FloatVector.fromArray(LANES, value, valueOffset + i))
          .intoArray(out, outOffset + i);
    }
    for (; i < length; i++) {
      float x = gate[gateOffset + i];
      out[outOffset + i] = x * sigmoid(x) * value[valueOffset + i];
    }
  }

  /**
   * From {@code gradient} of {@code silu(gate) · value}: {@code gate} and {@code value} are
   * overwritten with their own gradients.
   */
  public static void swigluGradient(
      float[] gate,
      int gateOffset,
      float[] value,
      int valueOffset,
      float[] gradient,
      int gradientOffset,
      int length) {
    int i = 0;
    for (; i < LANES.loopBound(length); i += LANES.length()) {
      FloatVector x = FloatVector.fromArray(LANES, gate, gateOffset + i);
      FloatVector g = FloatVector.fromArray(LANES, gradient, gradientOffset + i);
      FloatVector sigmoid = sigmoid(x);
      FloatVector silu = x.mul(sigmoid);
      FloatVector slope = sigmoid.sub(silu.mul(sigmoid)).add(silu);
      slope
          .mul(g)
          .mul(FloatVector.fromArray(LANES, value, valueOffset + i))
          .intoArray(gate, gateOffset + i);
      silu.mul(g).intoArray(value, valueOffset + i);
    }
    for (; i < length; i++) {
      float x = gate[gateOffset + i];
      float sigmoid = sigmoid(x);
      float g = gradient[gradientOffset + i];
      gate[gateOffset + i] = sigmoid * (ONE + x * (ONE - sigmoid)) * g * value[valueOffset + i];
      value[valueOffset + i] = x * sigmoid * g;
    }
  }

  /** {@code out = σ(x)}. */
  public static void sigmoid(float[] x, int xOffset, float[] out, int outOffset, int length) {
    int i = 0;
    for (; i < LANES.loopBound(length); i += LANES.length()) {
      sigmoid(FloatVector.fromArray(LANES, x, xOffset + i)).intoArray(out, outOffset + i);
    }
    for (; i < length; i++) {
      out[outOffset + i] = sigmoid(x[xOffset + i]);
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
    FloatVector sums = FloatVector.zero(LANES);
    int i = 0;
    for (; i < LANES.loopBound(length); i += LANES.length()) {
      FloatVector value =
          FloatVector.fromArray(LANES, x, xOffset + i).sub(shift).lanewise(VectorOperators.EXP);
      value.intoArray(x, xOffset + i);
      sums = sums.add(value);
    }
    float sum = sums.reduceLanes(VectorOperators.ADD);
    for (; i < length; i++) {
      x[xOffset + i] = FloatNumber.of(Math.exp(x[xOffset + i] - shift));
      sum += x[xOffset + i];
    }
    return sum;
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
