package org.longspan.driver.recovery;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.longspan.datapipeline.InvalidInputException;
import org.longspan.driver.event.FailureKind;

class AttemptLedgerTest {
  private final Exception spark = new Exception("Job aborted");

  private final List<Failure> explained = new ArrayList<>();
  private final AttemptLedger ledger = new AttemptLedger(2, explained::add);

  @Test
  void shouldAllowSoManyAttemptsInARow() {
    assertThat(ledger.started(0)).isTrue();
    assertThat(ledger.failed(failure(0, FailureKind.FAULT, "a"))).isTrue();
    assertThat(ledger.started(1)).isTrue();
    assertThat(ledger.failed(failure(1, FailureKind.FAULT, "b"))).isTrue();
    assertThat(ledger.started(2)).isFalse();
    assertThat(ledger.verdict(spark))
        .isInstanceOf(RunFailedException.class)
        .hasMessage(
            "The run failed after 2 attempts in a row without progress; in the last, rank 1 on"
                + " host: b")
        .hasCause(spark);
  }

  @Test
  void shouldCountAnewAfterProgress() {
    ledger.started(1);
    ledger.progressed(1);

    assertThat(ledger.started(2)).isTrue();
    assertThat(ledger.started(3)).isFalse();
  }

  @Test
  void shouldAllowNoAttemptAfterAnInvalidInput() {
    ledger.started(0);

    assertThat(ledger.failed(failure(0, FailureKind.INVALID_INPUT, "data.path is missing.")))
        .isFalse();
    assertThat(ledger.verdict(spark))
        .isInstanceOf(InvalidInputException.class)
        .hasMessage("data.path is missing.");
  }

  @Test
  void shouldPreferTheCauseToWhatFollowsFromIt() {
    ledger.failed(failure(0, FailureKind.FAULT, "of an older attempt"));
    ledger.failed(failure(1, FailureKind.DISCONNECTED, "peer is lost"));
    ledger.failed(failure(1, FailureKind.LOST, "killed"));
    ledger.failed(failure(1, FailureKind.LOST, "said later"));
    ledger.failed(failure(1, FailureKind.DISCONNECTED, "peer is lost"));

    assertThat(ledger.verdict(spark)).hasMessageEndingWith("rank 1 on host: killed");
    assertThat(explained)
        .extracting(Failure::sentence)
        .containsExactly("of an older attempt", "peer is lost", "killed");
  }

  @Test
  void shouldTellWhatEachRankOfTheLastAttemptSaidOnce() {
    ledger.failed(new Failure(1, 0, "b", FailureKind.DISCONNECTED, "1 misses 0"));
    ledger.failed(new Failure(0, 0, "a", FailureKind.DISCONNECTED, "0 misses 1"));
    ledger.failed(new Failure(1, 0, "b", FailureKind.DISCONNECTED, "the task failed"));
    assertThat(ledger.verdict(spark))
        .hasMessageEndingWith("in the last, rank 1 on b: 1 misses 0; rank 0 on a: 0 misses 1");
    ledger.failed(new Failure(0, 1, "a", FailureKind.DISCONNECTED, "0 misses 1 again"));
    ledger.failed(new Failure(1, 0, "b", FailureKind.LOST, "of an older attempt"));
    ledger.failed(new Failure(1, 1, "b", FailureKind.LOST, "killed"));

    assertThat(explained)
        .extracting(Failure::sentence)
        .containsExactly("1 misses 0", "0 misses 1", "0 misses 1 again", "killed");
    assertThat(ledger.verdict(spark)).hasMessageEndingWith("in the last, rank 1 on b: killed");
  }

  @Test
  void shouldQuoteSparkWhereNoRankSaidAnything() {
    assertThat(ledger.verdict(spark)).hasMessage("The run failed: Job aborted");
  }

  @Test
  void shouldKnowTheNewestAttempt() {
    ledger.started(0);
    ledger.started(1);
    ledger.started(0);

    assertThat(ledger.isNewest(1)).isTrue();
    assertThat(ledger.isNewest(0)).isFalse();
  }

  @Test
  void shouldKnowWhichRankATaskIsInEachAttempt() {
    ledger.seated(0, 2, 1);
    ledger.seated(1, 2, 3);
    assertThat(ledger.rankOf(0, 2)).isEqualTo(1);
    assertThat(ledger.rankOf(1, 2)).isEqualTo(3);
    assertThat(ledger.rankOf(1, 0)).isZero();
  }

  private static Failure failure(int attempt, FailureKind kind, String sentence) {
    return new Failure(1, attempt, "host", kind, sentence);
  }
}
