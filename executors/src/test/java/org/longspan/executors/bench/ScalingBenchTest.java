package org.longspan.executors.bench;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.longspan.executors.layer.RankMode.LayerMemory;

class ScalingBenchTest {
  private static final int TOKENS = 600;

  private final ScalingBench bench = new ScalingBench(1, 1);

  @Test
  void shouldMeasureStepsOfSeveralRanks() {
    ScalingBench.Result result = bench.ranks(2, TOKENS);
    assertThat(result.ranks()).isEqualTo(2);
    assertThat(result.memory()).isEqualTo(LayerMemory.KEEP);
    assertTimesOfAToken(result);
  }

  @Test
  void shouldMeasureStepsOfOneRank() {
    ScalingBench.Result result = bench.length(TOKENS, LayerMemory.RECOMPUTE, 1);
    assertThat(result.ranks()).isEqualTo(1);
    assertThat(result.memory()).isEqualTo(LayerMemory.RECOMPUTE);
    assertTimesOfAToken(result);
    assertThat(result.memoryBytes())
        .isPositive()
        .isLessThan(bench.length(TOKENS, LayerMemory.KEEP, 1).memoryBytes());
  }

  @Test
  void shouldMeasureOneRankWithMoreThreadsThanProcessors() {
    int threads = Runtime.getRuntime().availableProcessors() + 1;
    ScalingBench.Result result = bench.threads(threads, TOKENS);
    assertThat(result.ranks()).isEqualTo(1);
    assertThat(result.threads()).isEqualTo(threads);
    assertTimesOfAToken(result);
  }

  /** A token takes far more than a microsecond, and far less than a tenth of a second. */
  private static void assertTimesOfAToken(ScalingBench.Result result) {
    assertThat(result.tokens()).isEqualTo(TOKENS);
    assertThat(result.cpuSecondsPerToken()).isBetween(1e-6, 0.1);
    assertThat(1 / result.tokensPerSecond()).isBetween(1e-6, 0.1);
    // No more processors are busy than there are, with room for what the clock rounds.
    assertThat(result.cpuSecondsPerToken() * result.tokensPerSecond())
        .isLessThan(1.5 * Runtime.getRuntime().availableProcessors());
  }
}
