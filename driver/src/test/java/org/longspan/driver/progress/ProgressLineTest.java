package org.longspan.driver.progress;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;
import org.longspan.executors.train.RankEvent;

class ProgressLineTest {
  private static final long SECOND = 1_000_000_000L;

  private final ByteArrayOutputStream written = new ByteArrayOutputStream();
  private final PrintStream out = new PrintStream(written, true, StandardCharsets.UTF_8);
  private long now;

  @Test
  void shouldShowStepLossSpeedAndTimeLeft() {
    ProgressLine line = new ProgressLine(out, false, 100, () -> now);
    line.step(step(1));
    assertThat(text()).isEqualTo("step 1/100  loss 3.2500  8,192 tokens/s  3 min 18 s left\n");
  }

  @Test
  void shouldRewriteOneLineOnATerminal() {
    ProgressLine line = new ProgressLine(out, true, 3, () -> now);
    for (int i = 1; i <= 3; i++) {
      now += 2 * SECOND;
      line.step(step(i));
    }
    assertThat(text()).doesNotContain("\n").contains("\r\u001B[Kstep 3/3");
    line.end();
    line.end();
    assertThat(text()).endsWith("0 s left\n");
  }

  @Test
  void shouldPrintPlainLinesNowAndThen() {
    ProgressLine line = new ProgressLine(out, false, 100, () -> now);
    for (int i = 1; i <= 100; i++) {
      now += SECOND;
      line.step(step(i));
    }
    assertThat(text().lines()).hasSize(11).first().asString().startsWith("step 1/100");
    assertThat(text().lines().reduce((first, second) -> second).orElseThrow())
        .startsWith("step 100/100");
  }

  @Test
  void shouldPrintEachStepWhereStepsAreSlow() {
    ProgressLine line = new ProgressLine(out, false, 5, () -> now);
    for (int i = 1; i <= 5; i++) {
      now += 11 * SECOND;
      line.step(step(i));
    }
    assertThat(text().lines()).hasSize(5);
  }

  @Test
  void shouldCountWhatLiesBetweenStepsInTheTimeLeft() {
    ProgressLine line = new ProgressLine(out, false, 1000, () -> now);
    for (int i = 1; i <= 500; i++) {
      now += 4 * SECOND;
      line.step(step(i));
    }
    assertThat(text()).endsWith("33 min 24 s left\n");
  }

  @Test
  void shouldReckonWithStepsThatItWasNotShown() {
    ProgressLine line = new ProgressLine(out, false, 1000, () -> now);
    for (int i = 1; i <= 501; i += 10) {
      now += 40 * SECOND;
      line.step(step(i));
    }
    assertThat(text()).endsWith("33 min 16 s left\n");
  }

  @Test
  void shouldPutNotesAboveTheLine() {
    ProgressLine line = new ProgressLine(out, true, 3, () -> now);
    line.note("first");
    line.step(step(1));
    line.note("second");
    assertThat(text()).startsWith("first\n").endsWith("left\r\u001B[Ksecond\n");
  }

  @Test
  void shouldNameDurationsInTwoUnits() {
    assertThat(Durations.words(41.6)).isEqualTo("42 s");
    assertThat(Durations.words(200)).isEqualTo("3 min 20 s");
    assertThat(Durations.words(7500)).isEqualTo("2 h 5 min");
    assertThat(Durations.words(3 * 86_400 + 4 * 3600)).isEqualTo("3 d 4 h");
  }

  private String text() {
    return written.toString(StandardCharsets.UTF_8);
  }

  private static RankEvent.Step step(int number) {
    return new RankEvent.Step(number, 3.25, 16_384, 2.0, 1, 1e-3);
  }
}
