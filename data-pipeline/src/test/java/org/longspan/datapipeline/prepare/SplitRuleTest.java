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
  void shouldOnlyAddToValidationAsTheShareGrows() {
    SplitRule little = SplitRule.ByShare.rounded(0.02);
    SplitRule more = SplitRule.ByShare.rounded(0.05);
    assertThat(new Random(4).longs(20_000).filter(hash -> little.of(hash) == Split.VALIDATION))
        .isNotEmpty()
        .allMatch(hash -> more.of(hash) == Split.VALIDATION);
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
