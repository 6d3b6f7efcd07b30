package org.longspan.driver.event;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.longspan.datapipeline.InvalidInputException;
import org.longspan.parallelism.transport.TransportException;

class FailureKindTest {
  @Test
  void shouldFindTheUsersMistakeUnderOtherExceptions() {
    Throwable failure =
        new IllegalStateException("outer", new InvalidInputException("data.path is missing."));

    assertThat(FailureKind.of(failure)).isEqualTo(FailureKind.INVALID_INPUT);
    assertThat(FailureKind.sentence(failure)).isEqualTo("data.path is missing.");
  }

  @Test
  void shouldTellAFaultFromALostPeer() {
    assertThat(FailureKind.of(new IllegalStateException("x"))).isEqualTo(FailureKind.FAULT);
    assertThat(FailureKind.of(new OutOfMemoryError())).isEqualTo(FailureKind.FAULT);
    assertThat(FailureKind.of(new RuntimeException(new TransportException("lost"))))
        .isEqualTo(FailureKind.DISCONNECTED);
  }

  @Test
  void shouldNameTheExceptionInTheSentence() {
    assertThat(FailureKind.sentence(new IllegalStateException("No device")))
        .isEqualTo("IllegalStateException: No device");
    assertThat(FailureKind.sentence(new OutOfMemoryError())).isEqualTo("OutOfMemoryError");
  }
}
