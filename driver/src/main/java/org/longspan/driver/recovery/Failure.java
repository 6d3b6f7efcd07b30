package org.longspan.driver.recovery;

import org.longspan.driver.event.FailureKind;
import org.longspan.executors.train.RankEvent;

/** One rank's failure in one attempt; {@code sentence} says what went wrong. */
public record Failure(int rank, int attempt, String host, FailureKind kind, String sentence) {
  /** Whether this says more about why the attempt failed than {@code other}, which came first. */
  boolean explainsMoreThan(Failure other) {
    return other == null
        || attempt > other.attempt
        || (attempt == other.attempt && kind.compareTo(other.kind) < 0);
  }

  /** For those who watch the run. */
  public RankEvent event() {
    return new RankEvent.Failed(rank, attempt, host, sentence);
  }

  @Override
  public String toString() {
    return "rank " + rank + " on " + host + ": " + sentence;
  }
}
