package org.longspan.driver.recovery;

import org.longspan.datapipeline.InvalidInputException;
import org.longspan.driver.event.FailureKind;

/**
 * Keeps what happened to a run's attempts, and decides whether one more may be made: after an
 * invalid input none, otherwise until {@code allowed} attempts in a row have made no progress.
 *
 * <p>Thread-safe.
 */
public final class AttemptLedger {
  private final int allowed;
  private int newest;
  private int lastWithProgress;
  private boolean exhausted;
  private Failure rootCause;

  public AttemptLedger(int allowed) {
    this.allowed = allowed;
  }

  /** A rank is about to begin; whether its attempt may go on. */
  public synchronized boolean started(int attempt) {
    newest = Math.max(newest, attempt);
    exhausted |= attempt - lastWithProgress >= allowed;
    return mayGoOn();
  }

  /** Whether no later attempt than this has begun. */
  public synchronized boolean isNewest(int attempt) {
    return attempt == newest;
  }

  /** The attempt has committed something that a later one goes on from. */
  public synchronized void progressed(int attempt) {
    lastWithProgress = Math.max(lastWithProgress, attempt);
  }

  /** A rank has failed; whether another attempt may follow. */
  public synchronized boolean failed(Failure failure) {
    if (failure.explainsMoreThan(rootCause)) {
      rootCause = failure;
    }
    return mayGoOn();
  }

  /**
   * Why the run ended.
   *
   * @param cause what Spark says of it
   */
  public synchronized RuntimeException verdict(Exception cause) {
    if (rootCause == null) {
      return new RunFailedException(
          "The run failed: " + FailureKind.firstLine(cause.getMessage()), cause);
    }
    if (rootCause.kind() == FailureKind.INVALID_INPUT) {
      return new InvalidInputException(rootCause.sentence(), cause);
    }
    int fruitless = rootCause.attempt() - lastWithProgress + 1;
    return new RunFailedException(
        String.format(
            "The run failed after %d %s without progress; in the last, %s",
            fruitless, fruitless == 1 ? "attempt" : "attempts in a row", rootCause),
        cause);
  }

  private boolean mayGoOn() {
    return !exhausted && (rootCause == null || rootCause.kind() != FailureKind.INVALID_INPUT);
  }
}
