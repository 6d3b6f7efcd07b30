package org.longspan.executors.vector;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.Arrays;
import java.util.Random;
import java.util.function.DoubleUnaryOperator;
import org.junit.jupiter.api.Test;

class ActivationTest {
  private static final int LONGEST = 45;
  private static final int OFFSET = 3;
  private static final double STEP = 1e-4;
  private static final double ROUNDING = 1e-14;
  private static final double DIFFERENCES = 1e-7;

  private final Random random = new Random(9);

  @Test
  void shouldBeTheSigmoid() {
    for (int length = 0; length < LONGEST; length++) {
      double[] x = numbers(length);
      double[] out = poison(length);
      DoubleActivation.sigmoid(x, OFFSET, out, OFFSET, length);
      assertIs(out, x, length, ActivationTest::sigmoid);
      DoubleActivation.sigmoid(x, OFFSET, x, OFFSET, length);
      assertThat(inside(x)).containsExactly(inside(out));
    }
  }

  @Test
  void shouldBeTheSilu() {
    for (int length = 0; length < LONGEST; length++) {
      double[] x = numbers(length);
      double[] out = poison(length);
      DoubleActivation.silu(x, OFFSET, out, OFFSET, length);
      assertIs(out, x, length, ActivationTest::silu);
    }
  }

  @Test
  void shouldTurnAGradientIntoThatOfTheSilusInput() {
    for (int length = 0; length < LONGEST; length++) {
      double[] x = numbers(length);
      double[] incoming = numbers(length);
      double[] gradient = incoming.clone();
      DoubleActivation.siluGradient(x, OFFSET, gradient, OFFSET, new double[length], length);
      for (int i = OFFSET; i < OFFSET + length; i++) {
        double expected = incoming[i] * slope(ActivationTest::silu, x[i]);
        assertThat(gradient[i]).isCloseTo(expected, within(DIFFERENCES));
      }
      assertUntouchedOutside(gradient);
    }
  }

  @Test
  void shouldGateByTheSilu() {
    for (int length = 0; length < LONGEST; length++) {
      double[] gate = numbers(length);
      double[] value = numbers(length);
      double[] out = poison(length);
      DoubleActivation.swiglu(gate, OFFSET, value, OFFSET, out, OFFSET, length);
      for (int i = OFFSET; i < OFFSET + length; i++) {
        assertThat(out[i]).isCloseTo(silu(gate[i]) * value[i], within(ROUNDING * 100));
      }
      assertUntouchedOutside(out);
    }
  }

  @Test
  void shouldReplaceGateAndValueByTheirGradients() {
    for (int length = 0; length < LONGEST; length++) {
      double[] gate = numbers(length);
      double[] value = numbers(length);
      double[] incoming = numbers(length);
      double[] gateGradient = gate.clone();
      double[] valueGradient = value.clone();
      DoubleActivation.swigluGradient(
          gateGradient,
          OFFSET,
          valueGradient,
          OFFSET,
          incoming,
          OFFSET,
          new double[length],
          length);
      for (int i = OFFSET; i < OFFSET + length; i++) {
        double slope = slope(ActivationTest::silu, gate[i]);
        assertThat(gateGradient[i])
            .isCloseTo(incoming[i] * value[i] * slope, within(DIFFERENCES * 10));
        assertThat(valueGradient[i]).isCloseTo(incoming[i] * silu(gate[i]), within(ROUNDING * 100));
      }
      assertUntouchedOutside(gateGradient);
      assertUntouchedOutside(valueGradient);
    }
  }

  @Test
  void shouldBeTheLogarithmOfTheSigmoidToItsLastDigits() {
    for (int length = 0; length < LONGEST; length++) {
      double[] x = numbers(length);
      for (int i = OFFSET; i < OFFSET + length; i++) {
        x[i] *= Math.pow(10, 2 - 6 * random.nextDouble());
      }
      double[] out = poison(length);
      DoubleActivation.logSigmoid(x, OFFSET, out, OFFSET, length);
      for (int i = OFFSET; i < OFFSET + length; i++) {
        double truth = logSigmoid(x[i]);
        assertThat(out[i]).isCloseTo(truth, within(6 * Math.ulp(truth)));
      }
      assertUntouchedOutside(out);
    }
  }

  @Test
  void shouldBeTheLogarithmOfTheSigmoidInFloatToo() {
    float[] x = new float[1 << 16];
    for (int i = 0; i < x.length; i++) {
      x[i] = (i % 2 == 0 ? 80 : -80) * (float) Math.pow(10, -6.0 * i / x.length);
    }
    float[] out = new float[x.length];
    FloatActivation.logSigmoid(x, 0, out, 0, x.length);
    for (int i = 0; i < x.length; i++) {
      double truth = logSigmoid(x[i]);
      assertThat(out[i]).isCloseTo((float) truth, within(4 * Math.ulp((float) truth)));
    }
  }

  @Test
  void shouldKnowTheEndsOfTheLogarithmOfTheSigmoid() {
    float[] x = {Float.NEGATIVE_INFINITY, -1e30f, 1e30f, Float.POSITIVE_INFINITY, Float.NaN};
    float[] out = new float[x.length];
    for (int repeats = 0; repeats < LONGEST; repeats++) {
      float[] row = Arrays.copyOf(out, repeats + 1);
      float[] xs = new float[repeats + 1];
      Arrays.fill(xs, x[repeats % x.length]);
      FloatActivation.logSigmoid(xs, 0, row, 0, xs.length);
      float[] expected = {Float.NEGATIVE_INFINITY, -1e30f, 0f, 0f, Float.NaN};
      assertThat(row).containsOnly(expected[repeats % x.length]);
    }
  }

  @Test
  void shouldTurnAGradientIntoThatOfTheLogarithmsInput() {
    for (int length = 0; length < LONGEST; length++) {
      double[] x = numbers(length);
      double[] incoming = numbers(length);
      double[] gradient = incoming.clone();
      DoubleActivation.logSigmoidGradient(x, OFFSET, gradient, OFFSET, new double[length], length);
      for (int i = OFFSET; i < OFFSET + length; i++) {
        double expected = incoming[i] * slope(ActivationTest::logSigmoid, x[i]);
        assertThat(gradient[i]).isCloseTo(expected, within(DIFFERENCES));
      }
      assertUntouchedOutside(gradient);
    }
  }

  @Test
  void shouldFindTheSameBitsWhereverInARowANumberLies() {
    float[] x = new float[LONGEST];
    float[] value = new float[LONGEST];
    for (int i = 0; i < LONGEST; i++) {
      x[i] = 5 * (float) random.nextGaussian();
      value[i] = (float) random.nextGaussian();
    }
    float[][] rows = new float[6][];
    float[][] alone = new float[6][];
    for (int i = 0; i < rows.length; i++) {
      rows[i] = i < 3 ? new float[LONGEST] : value.clone();
      alone[i] = rows[i].clone();
    }
    float[] gate = x.clone();
    float[] gateAlone = x.clone();
    float[] work = new float[LONGEST];
    all(x, 0, value, rows, gate, work, LONGEST);
    for (int i = 0; i < LONGEST; i++) {
      all(x, i, value, alone, gateAlone, work, 1);
    }
    assertThat(rows).isDeepEqualTo(alone);
    assertThat(gate).containsExactly(gateAlone);
  }

  private static void all(
      float[] x, int at, float[] value, float[][] out, float[] gate, float[] work, int length) {
    FloatActivation.silu(x, at, out[0], at, length);
    FloatActivation.swiglu(x, at, value, at, out[1], at, length);
    FloatActivation.logSigmoid(x, at, out[2], at, length);
    FloatActivation.siluGradient(x, at, out[3], at, work, length);
    FloatActivation.logSigmoidGradient(x, at, out[4], at, work, length);
    FloatActivation.swigluGradient(gate, at, out[5], at, value, at, work, length);
  }

  private static double sigmoid(double x) {
    return 1 / (1 + StrictMath.exp(-x));
  }

  private static double silu(double x) {
    return x * sigmoid(x);
  }

  private static double logSigmoid(double x) {
    return Math.min(x, 0) - StrictMath.log1p(StrictMath.exp(-Math.abs(x)));
  }

  private static double slope(DoubleUnaryOperator function, double x) {
    return (function.applyAsDouble(x + STEP) - function.applyAsDouble(x - STEP)) / (2 * STEP);
  }

  private static void assertIs(double[] out, double[] x, int length, DoubleUnaryOperator function) {
    for (int i = OFFSET; i < OFFSET + length; i++) {
      assertThat(out[i]).isCloseTo(function.applyAsDouble(x[i]), within(ROUNDING));
    }
    assertUntouchedOutside(out);
  }

  private static void assertUntouchedOutside(double[] row) {
    assertThat(Arrays.copyOf(row, OFFSET)).containsOnly(Double.NaN);
    assertThat(Arrays.copyOfRange(row, row.length - OFFSET, row.length)).containsOnly(Double.NaN);
  }

  private static double[] inside(double[] row) {
    return Arrays.copyOfRange(row, OFFSET, row.length - OFFSET);
  }

  private static double[] poison(int length) {
    double[] row = new double[OFFSET + length + OFFSET];
    Arrays.fill(row, Double.NaN);
    return row;
  }

  private double[] numbers(int length) {
    double[] row = poison(length);
    for (int i = OFFSET; i < OFFSET + length; i++) {
      row[i] = 4 * random.nextGaussian();
    }
    return row;
  }
}
