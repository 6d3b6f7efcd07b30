package org.longspan.executors.vector;

import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorSpecies;

/**
 * Activations of pieces of rows, each {@code length} numbers from an offset on, forward and
 * backward. Exponentials go through an array first, which is faster than one loop that does all.
 * Every number is the same wherever in a row it lies.
 *
 * <p>Threading: stateless.
 */
public final class FloatActivation {
  private static final VectorSpecies<Float> LANES = FloatVector.SPECIES_PREFERRED;

  private FloatActivation() {}

  /** {@code out = σ(x)}; {@code out} may be {@code x}. */
  public static void sigmoid(float[] x, int xOffset, float[] out, int outOffset, int length) {
    FloatExponential.exponentials(-1f, 0f, x, xOffset, out, outOffset, length);
    FloatVector one = FloatVector.broadcast(LANES, 1f);
    int i = outOffset;
    for (; i < outOffset + LANES.loopBound(length); i += LANES.length()) {
      one.div(FloatVector.fromArray(LANES, out, i).add(one)).intoArray(out, i);
    }
    for (; i < outOffset + length; i++) {
      out[i] = 1f / (out[i] + 1f);
    }
  }

  /** {@code out = x · σ(x)}, not in place. */
  public static void silu(float[] x, int xOffset, float[] out, int outOffset, int length) {
    FloatExponential.exponentials(-1f, 0f, x, xOffset, out, outOffset, length);
    FloatVector one = FloatVector.broadcast(LANES, 1f);
    int i = 0;
    for (; i < LANES.loopBound(length); i += LANES.length()) {
      FloatVector.fromArray(LANES, x, xOffset + i)
          .div(FloatVector.fromArray(LANES, out, outOffset + i).add(one))
          .intoArray(out, outOffset + i);
    }
    for (; i < length; i++) {
      out[outOffset + i] = x[xOffset + i] / (out[outOffset + i] + 1f);
    }
  }

  /**
   * {@code gradient ·= silu′(x)}, {@code silu′ = σ + x σ (1 − σ)}.
   *
   * @param exponentials receives {@code exp(−x)}, from 0 on
   */
  public static void siluGradient(
      float[] x,
      int xOffset,
      float[] gradient,
      int gradientOffset,
      float[] exponentials,
      int length) {
    FloatExponential.exponentials(-1f, 0f, x, xOffset, exponentials, 0, length);
    FloatVector one = FloatVector.broadcast(LANES, 1f);
    int i = 0;
    for (; i < LANES.loopBound(length); i += LANES.length()) {
      FloatVector sigmoid = one.div(FloatVector.fromArray(LANES, exponentials, i).add(one));
      FloatVector slope =
          FloatVector.fromArray(LANES, x, xOffset + i).fma(one.sub(sigmoid), one).mul(sigmoid);
      FloatVector.fromArray(LANES, gradient, gradientOffset + i)
          .mul(slope)
          .intoArray(gradient, gradientOffset + i);
    }
    for (; i < length; i++) {
      float sigmoid = 1f / (exponentials[i] + 1f);
      float slope = Math.fma(x[xOffset + i], 1f - sigmoid, 1f) * sigmoid;
      gradient[gradientOffset + i] *= slope;
    }
  }

  /** {@code out = silu(gate) · value}, not in place. */
  public static void swiglu(
      float[] gate,
      int gateOffset,
      float[] value,
      int valueOffset,
      float[] out,
      int outOffset,
      int length) {
    FloatExponential.exponentials(-1f, 0f, gate, gateOffset, out, outOffset, length);
    FloatVector one = FloatVector.broadcast(LANES, 1f);
    int i = 0;
    for (; i < LANES.loopBound(length); i += LANES.length()) {
      FloatVector.fromArray(LANES, gate, gateOffset + i)
          .div(FloatVector.fromArray(LANES, out, outOffset + i).add(one))
          .mul(FloatVector.fromArray(LANES, value, valueOffset + i))
          .intoArray(out, outOffset + i);
    }
    for (; i < length; i++) {
      out[outOffset + i] =
          gate[gateOffset + i] / (out[outOffset + i] + 1f) * value[valueOffset + i];
    }
  }

  /**
   * From {@code gradient} of {@code silu(gate) · value}: {@code gate} and {@code value} are
   * overwritten with their own gradients.
   *
   * @param exponentials receives {@code exp(−gate)}, from 0 on
   */
  public static void swigluGradient(
      float[] gate,
      int gateOffset,
      float[] value,
      int valueOffset,
      float[] gradient,
      int gradientOffset,
      float[] exponentials,
      int length) {
    FloatExponential.exponentials(-1f, 0f, gate, gateOffset, exponentials, 0, length);
    FloatVector one = FloatVector.broadcast(LANES, 1f);
    int i = 0;
    for (; i < LANES.loopBound(length); i += LANES.length()) {
      FloatVector sigmoid = one.div(FloatVector.fromArray(LANES, exponentials, i).add(one));
      FloatVector g = FloatVector.fromArray(LANES, gradient, gradientOffset + i);
      FloatVector silu = FloatVector.fromArray(LANES, gate, gateOffset + i).mul(sigmoid);
      sigmoid
          .sub(silu.mul(sigmoid))
          .add(silu)
          .mul(g)
          .mul(FloatVector.fromArray(LANES, value, valueOffset + i))
          .intoArray(gate, gateOffset + i);
      silu.mul(g).intoArray(value, valueOffset + i);
    }
    for (; i < length; i++) {
      float sigmoid = 1f / (exponentials[i] + 1f);
      float g = gradient[gradientOffset + i];
      float silu = gate[gateOffset + i] * sigmoid;
      gate[gateOffset + i] = (sigmoid - silu * sigmoid + silu) * g * value[valueOffset + i];
      value[valueOffset + i] = silu * g;
    }
  }

  /** {@code out = log σ(x) = min(x, 0) − log(1 + exp(−|x|))}, not in place. */
  public static void logSigmoid(float[] x, int xOffset, float[] out, int outOffset, int length) {
    int i = 0;
    for (; i < LANES.loopBound(length); i += LANES.length()) {
      FloatVector.fromArray(LANES, x, xOffset + i).abs().intoArray(out, outOffset + i);
    }
    for (; i < length; i++) {
      out[outOffset + i] = Math.abs(x[xOffset + i]);
    }
    FloatExponential.exponentials(-1f, 0f, out, outOffset, out, outOffset, length);
    FloatLogarithm.subtractLogOfOnePlus(x, xOffset, out, outOffset, length);
  }

  /**
   * {@code gradient ·= σ(−x)}, the slope of {@link #logSigmoid}.
   *
   * @param exponentials receives {@code exp(x)}, from 0 on
   */
  public static void logSigmoidGradient(
      float[] x,
      int xOffset,
      float[] gradient,
      int gradientOffset,
      float[] exponentials,
      int length) {
    FloatExponential.exponentials(1f, 0f, x, xOffset, exponentials, 0, length);
    int i = 0;
    for (; i < LANES.loopBound(length); i += LANES.length()) {
      FloatVector.fromArray(LANES, gradient, gradientOffset + i)
          .div(FloatVector.fromArray(LANES, exponentials, i).add(1f))
          .intoArray(gradient, gradientOffset + i);
    }
    for (; i < length; i++) {
      gradient[gradientOffset + i] /= exponentials[i] + 1f;
    }
  }
}
