package org.longspan.executors.kernel;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

class BfloatTest {
  private static final int HALF_OF_ONE = 0x3f80;

  @Test
  void shouldRoundToTheNearestAndOfTwoToTheEven() {
    assertThat((int) Bfloat.of(Float.intBitsToFloat(0x3f80_7fff))).isEqualTo(HALF_OF_ONE);
    assertThat((int) Bfloat.of(Float.intBitsToFloat(0x3f80_8000))).isEqualTo(HALF_OF_ONE);
    assertThat((int) Bfloat.of(Float.intBitsToFloat(0x3f80_8001))).isEqualTo(HALF_OF_ONE + 1);
    assertThat((int) Bfloat.of(Float.intBitsToFloat(0x3f81_8000))).isEqualTo(HALF_OF_ONE + 2);
  }

  @Test
  void shouldKeepWhatIsNoNumberOrInfinite() {
    assertThat(Bfloat.toFloat(Bfloat.of(Float.NaN))).isNaN();
    assertThat(Bfloat.toFloat(Bfloat.of(Float.intBitsToFloat(0x7f80_0001)))).isNaN();
    assertThat(Bfloat.toFloat(Bfloat.of(Float.NEGATIVE_INFINITY)))
        .isEqualTo(Float.NEGATIVE_INFINITY);
    assertThat(Bfloat.toFloat(Bfloat.of(Float.MAX_VALUE))).isEqualTo(Float.POSITIVE_INFINITY);
    assertThat(Bfloat.of(-0f)).isEqualTo((char) 0x8000);
  }

  @Test
  void shouldErrByLessThanItsLastBit() {
    SplittableRandom random = new SplittableRandom(1);
    float[] numbers = new float[1000];
    for (int i = 0; i < numbers.length; i++) {
      numbers[i] = random.nextFloat() - 0.5f;
    }
    char[] halves = new char[numbers.length + 3];
    float[] back = new float[numbers.length + 5];
    Bfloat.narrow(numbers, 0, halves, 3, numbers.length);
    Bfloat.widen(halves, 3, back, 5, numbers.length);
    for (int i = 0; i < numbers.length; i++) {
      assertThat(Math.abs(back[5 + i] - numbers[i]))
          .isLessThanOrEqualTo(Math.abs(numbers[i]) / 256);
    }
  }
}
