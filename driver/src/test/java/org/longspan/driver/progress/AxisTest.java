package org.longspan.driver.progress;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class AxisTest {
  @Test
  void shouldEndOnRoundNumbersAroundTheValues() {
    Axis axis = Axis.over(2.46, 5.55, 5);
    assertThat(axis.low()).isEqualTo(2);
    assertThat(axis.high()).isEqualTo(6);
    assertThat(axis.ticks()).containsExactly(2.0, 3.0, 4.0, 5.0, 6.0);
  }

  @Test
  void shouldHoldOneValue() {
    Axis axis = Axis.over(3, 3, 5);
    assertThat(axis.low()).isLessThanOrEqualTo(3);
    assertThat(axis.high()).isGreaterThan(axis.low()).isGreaterThanOrEqualTo(3);
    assertThat(Axis.over(0, 0, 5).high()).isPositive();
  }

  @Test
  void shouldLabelWithTheDigitsThatTellTicksApart() {
    assertThat(Axis.over(0, 150, 8).label(25)).isEqualTo("25");
    assertThat(Axis.over(0, 150, 8).label(125)).isEqualTo("125");
    assertThat(Axis.over(0, 1.2, 5).label(0.75)).isEqualTo("0.75");
    assertThat(Axis.over(0, 0.25, 5).label(0.15)).isEqualTo("0.15");
    assertThat(Axis.over(0, 14_000, 5).label(10_000)).isEqualTo("10,000");
    assertThat(Axis.over(0, 8e-3, 5).label(2e-3)).isEqualTo("0.002");
    assertThat(Axis.over(0, 8e-5, 5).label(2e-5)).isEqualTo("2.0e-05");
    assertThat(Axis.over(0, 8e-5, 5).label(0)).isEqualTo("0");
  }

  @Test
  void shouldPlaceValuesBetweenItsEnds() {
    Axis axis = Axis.over(0, 10, 5);
    assertThat(axis.place(axis.low())).isZero();
    assertThat(axis.place(axis.high())).isEqualTo(1);
    assertThat(axis.place(5)).isEqualTo((5 - axis.low()) / (axis.high() - axis.low()));
  }
}
