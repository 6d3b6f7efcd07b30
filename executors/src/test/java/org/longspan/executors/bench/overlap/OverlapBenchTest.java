package org.longspan.executors.bench.overlap;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.longspan.executors.kernel.AttentionShape;
import org.longspan.parallelism.collective.ScanDirection;
import org.longspan.parallelism.transport.Protection;

class OverlapBenchTest {
  @Test
  void shouldMeasureBothShapesInBothDirections() {
    List<OverlapBench.Result> results = new ArrayList<>();
    new OverlapBench(128, 1, Protection.AUTHENTICATED).run(results::add);
    assertThat(results)
        .extracting(OverlapBench.Result::direction)
        .containsExactly(
            ScanDirection.FORWARD,
            ScanDirection.BACKWARD,
            ScanDirection.FORWARD,
            ScanDirection.BACKWARD);
    assertThat(results)
        .allSatisfy(
            result -> {
              assertThat(result.localSeconds()).isPositive();
              assertThat(result.scanSeconds()).isPositive();
              assertThat(result.hiddenShare()).isBetween(0.0, 1.0);
            });
  }

  @Test
  void shouldHideWhatTheAttentionDoesNotStandStillFor() {
    assertThat(result(0.1, 0.025).hiddenShare()).isEqualTo(0.75);
    assertThat(result(0.1, 0).hiddenShare()).isEqualTo(1);
    assertThat(result(0.1, 0.2).hiddenShare()).isZero();
    assertThat(result(0.1, -0.01).hiddenShare()).isEqualTo(1);
  }

  private static OverlapBench.Result result(double scan, double stoodStill) {
    return new OverlapBench.Result(
        ScanDirection.FORWARD,
        128,
        new AttentionShape(1, 8, 8),
        1,
        scan,
        1 + stoodStill,
        0,
        stoodStill,
        "chain");
  }
}
