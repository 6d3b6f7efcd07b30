package org.longspan.parallelism.transport;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
class CipherWarmUpTest {
  @Test
  void shouldEndAndTakeMoreThanOneWhoBeginsAndWaits() {
    CipherWarmUp.begin();
    CipherWarmUp.begin();
    CipherWarmUp.await();
    CipherWarmUp.await();
    assertThat(Thread.getAllStackTraces().keySet())
        .extracting(Thread::getName)
        .doesNotContain("longspan-cipher-warm-up");
  }

  @Test
  void shouldKeepAnInterrupt() {
    CipherWarmUp.begin();
    Thread.currentThread().interrupt();
    CipherWarmUp.await();
    assertThat(Thread.interrupted()).isTrue();
  }
}
