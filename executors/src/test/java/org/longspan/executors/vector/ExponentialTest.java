package org.longspan.executors.vector;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ExponentialTest {
  private static final int ROW = 1003;
  private static final int SHORT_ROW = 45;

  /** From here on down it is 0; up to the greatest, it is finite. */
  private static final float FLOAT_LEAST = -86.98f;

  private static final float FLOAT_GREATEST = 0x1.62e42ep6f;
  private static final double DOUBLE_LEAST = -708;
  private static final double DOUBLE_GREATEST = 0x1.62e42fefa39efp9;

  @Test
  void shouldBeWithinAnUlpOfEveryThousandthFloat() {
    float[] x = new float[ROW];
    float[] exponentials = new float[ROW];
    double worst = 0;
    for (float end : new float[] {FLOAT_LEAST, FLOAT_GREATEST}) {
      int zero = Float.floatToRawIntBits(Math.copySign(0f, end));
      int last = Float.floatToRawIntBits(end);
      for (int first = zero; first <= last; first += ROW * ROW) {
        for (int i = 0; i < ROW; i++) {
          x[i] = Float.intBitsToFloat(Math.min(last, first + i * ROW));
        }
        FloatExponential.exponentials(1f, 0f, x, 0, exponentials, 0, ROW);
        for (int i = 0; i < ROW; i++) {
          double truth = StrictMath.exp(x[i]);
          worst = Math.max(worst, Math.abs(exponentials[i] - truth) / Math.ulp((float) truth));
        }
      }
    }
    assertThat(worst).isPositive().isLessThan(1);
  }

  @Test
  void shouldBeWithinTwoUlpsOfStrictMathInDouble() {
    Random random = new Random(5);
    double[] x = new double[ROW];
    double[] exponentials = new double[ROW];
    double worst = 0;
    for (int row = 0; row < 1000; row++) {
      double reach = Math.pow(10, -9 * random.nextDouble());
      for (int i = 0; i < ROW; i++) {
        double end = random.nextBoolean() ? DOUBLE_LEAST : DOUBLE_GREATEST;
        x[i] = i == 0 ? end : end * reach * random.nextDouble();
      }
      DoubleExponential.exponentials(1, 0, x, 0, exponentials, 0, ROW);
      for (int i = 0; i < ROW; i++) {
        double truth = StrictMath.exp(x[i]);
        worst = Math.max(worst, Math.abs(exponentials[i] - truth) / Math.ulp(truth));
      }
    }
    assertThat(worst).isPositive().isLessThanOrEqualTo(2);
  }

  @ParameterizedTest
  @CsvSource({
    "0, 1", "-0, 1", "1.4e-45, 1", "-1.4e-45, 1",
    "-87.4, 0", "-104, 0", "-1e30, 0", "-Infinity, 0",
    "88.72284, Infinity", "89, Infinity", "89.1, Infinity", "1e30, Infinity",
    "Infinity, Infinity", "NaN, NaN"
  })
  void shouldKnowTheEndsOfTheFloats(float x, float expected) {
    float[] row = new float[SHORT_ROW];
    Arrays.fill(row, x);
    FloatExponential.exponentials(1f, 0f, row, 0, row, 0, SHORT_ROW);
    assertThat(row).containsOnly(expected);
  }

  @ParameterizedTest
  @CsvSource({
    "0, 1", "-0, 1", "5e-324, 1", "-5e-324, 1",
    "-708.4, 0", "-746, 0", "-1e300, 0", "-Infinity, 0",
    "709.782712893385, Infinity", "710, Infinity", "710.1, Infinity", "1e300, Infinity",
    "Infinity, Infinity", "NaN, NaN"
  })
  void shouldKnowTheEndsOfTheDoubles(double x, double expected) {
    double[] row = new double[SHORT_ROW];
    Arrays.fill(row, x);
    DoubleExponential.exponentials(1, 0, row, 0, row, 0, SHORT_ROW);
    assertThat(row).containsOnly(expected);
  }

  @Test
  void shouldFindTheSameBitsWhereverInARowOfFloatsANumberLies() {
    Random random = new Random(6);
    for (int length = 0; length < SHORT_ROW; length++) {
      float[] x = new float[length + 2];
      for (int i = 0; i < x.length; i++) {
        x[i] = 30 * (float) random.nextGaussian();
      }
      float[] row = new float[length + 4];
      Arrays.fill(row, Float.NaN);
      FloatExponential.exponentials(-1f, 2f, x, 1, row, 3, length);
      float[] alone = new float[length + 4];
      Arrays.fill(alone, Float.NaN);
      for (int i = 0; i < length; i++) {
        FloatExponential.exponentials(-1f, 2f, x, 1 + i, alone, 3 + i, 1);
      }
      assertThat(row).as("%d numbers", length).containsExactly(alone);
    }
  }

  @Test
  void shouldFindTheSameBitsWhereverInARowOfDoublesANumberLies() {
    Random random = new Random(7);
    for (int length = 0; length < SHORT_ROW; length++) {
      double[] x = new double[length + 2];
      Arrays.setAll(x, i -> 200 * random.nextGaussian());
      double[] row = new double[length + 4];
      Arrays.fill(row, Double.NaN);
      DoubleExponential.exponentials(-1, 2, x, 1, row, 3, length);
      double[] alone = new double[length + 4];
      Arrays.fill(alone, Double.NaN);
      for (int i = 0; i < length; i++) {
        DoubleExponential.exponentials(-1, 2, x, 1 + i, alone, 3 + i, 1);
      }
      assertThat(row).as("%d numbers", length).containsExactly(alone);
    }
  }

  @Test
  void shouldReturnTheSumOfWhatItWrote() {
    Random random = new Random(8);
    for (int length = 0; length < SHORT_ROW; length++) {
      double[] x = random.doubles(length, -3, 3).toArray();
      double sum = DoubleExponential.exponentials(1, -1, x, 0, x, 0, length);
      assertThat(sum).isCloseTo(Arrays.stream(x).sum(), within(1e-12));
    }
  }
}
