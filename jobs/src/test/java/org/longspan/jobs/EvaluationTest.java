package org.longspan.jobs;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import org.junit.jupiter.api.Test;

class EvaluationTest {
  @Test
  void shouldCountBitsByTheTextsBytes() {
    // 1000 tokens of log 2 nats are 1000 bits, for 500 bytes of text.
    Evaluation.Result result = new Evaluation.Result(Math.log(2), 1000, 500);
    assertThat(result.bitsPerByte()).isCloseTo(2, within(1e-12));
    assertThat(result.perplexity()).isCloseTo(2, within(1e-12));
  }
}
