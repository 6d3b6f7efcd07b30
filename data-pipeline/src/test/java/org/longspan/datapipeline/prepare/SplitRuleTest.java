package org.longspan.datapipeline.prepare;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Random;
import org.junit.jupiter.api.Test;
import org.longspan.datapipeline.dataset.Split;

final class SplitRuleTest {

  @Test
  void shouldKeepAboutTheShareForValidation() {
    SplitRule rule = SplitRule.ByShare.rounded(0.1);
    Random random = new Random(3);
    long kept = random.longs(20_000).filter(hash -> rule.of(hash) == Split.VALIDATION).count();
    assertThat(kept).isBetween(1800L, 2200L);
  }

  @Test
  void shouldKeepNothingForValidationWithoutShare() {
    SplitRule rule = SplitRule.ByShare.rounded(0);
    assertThat(rule.of(0)).isEqualTo(Split.TRAIN);
    assertThat(rule.of(-1)).isEqualTo(Split.TRAIN);
  }

  @Test
  void shouldNotRoundASmallShareToNothing() {
    assertThat(SplitRule.ByShare.rounded(1e-6).of(0)).isEqualTo(Split.VALIDATION);
  }
}
