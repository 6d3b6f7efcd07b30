package org.longspan.executors.bench;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.longspan.executors.latent.LatentPlan.Sharing;

class LatentBenchTest {
  private static final int TOKENS = 2_048;

  @Test
  void shouldMeasureEachRank() {
    LatentBench.Result own = LatentBench.run(4, TOKENS, Sharing.CONTIGUOUS);
    LatentBench.Result shared = LatentBench.run(4, TOKENS, Sharing.BALANCED);
    assertThat(own.mostPairs()).isGreaterThan(1.7);
    assertThat(shared.mostPairs()).isLessThan(1.15);
    for (LatentBench.Result result : new LatentBench.Result[] {own, shared}) {
      assertThat(result.ranks()).hasSize(4);
      // A rank multiplies millions of pairs: far more than a microsecond, far less than a minute.
      assertThat(result.ranks())
          .allSatisfy(rank -> assertThat(rank.forwardSeconds()).isBetween(1e-6, 60.0))
          .allSatisfy(rank -> assertThat(rank.backwardSeconds()).isBetween(1e-6, 60.0));
    }
  }
}
