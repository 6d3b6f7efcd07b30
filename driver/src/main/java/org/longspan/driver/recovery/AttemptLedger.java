package org.longspan.driver.recovery;

import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.Consumer;
import java.util.stream.Collectors;
import org.longspan.datapipeline.InvalidInputException;
import org.longspan.driver.event.FailureKind;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Keeps what happened to a run's attempts, and decides whether one more may be made: after an
 * invalid input none, otherwise until {@code allowed} attempts in a row have made no progress.
 *
 * <p>Thread-safe.
 */
public final class AttemptLedger {
  private static final Logger LOG = LoggerFactory.getLogger(AttemptLedger.class);

  private final int allowed;
  private final Consumer<Failure> explanations;
  private final Map<Seat, Integer> seats = new HashMap<>();
  private int newest;
  private int lastWithProgress;
  private boolean exhausted;
  private Failure rootCause;

  /** What the ranks of the last failed attempt said, in the order in which they began to. */
  private final Map<Integer, Failure> said = new LinkedHashMap<>();

  private record Seat(int attempt, int task) {}

  /**
   * @param explanations hears what each rank of a failed attempt says, again where something
   *     explains that rank's failure better; not of an invalid input, which ends the run by itself
   */
  public AttemptLedger(int allowed, Consumer<Failure> explanations) {
    this.allowed = allowed;
    this.explanations = explanations;
  }

  /** In {@code attempt} task {@code task} of the stage is rank {@code rank}. */
  public synchronized void seated(int attempt, int task, int rank) {
    seats.put(new Seat(attempt, task), rank);
  }

  /** Which rank a task is; one that has not told has its own number. */
  synchronized int rankOf(int attempt, int task) {
    return seats.getOrDefault(new Seat(attempt, task), task);
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
    LOG.warn("Attempt {} failed: {}", failure.attempt(), failure);
    if (rootCause != null && failure.attempt() > rootCause.attempt()) {
      said.clear();
    }
    if (failure.explainsMoreThan(rootCause)) {
      rootCause = failure;
    }
    if (failure.attempt() == rootCause.attempt()
        && failure.explainsMoreThan(said.get(failure.rank()))) {
      said.put(failure.rank(), failure);
      if (failure.kind() != FailureKind.INVALID_INPUT) {
        explanations.accept(failure);
      }
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
            fruitless, fruitless == 1 ? "attempt" : "attempts in a row", causes()),
        cause);
  }

  /** The root cause, and what explains as much: of ranks that lost each other, either may be it. */
  private String causes() {
    return said.values().stream()
        .filter(failure -> failure.kind() == rootCause.kind())
        .map(Failure::toString)
        .collect(Collectors.joining("; "));
  }

  private boolean mayGoOn() {
    return !exhausted && (rootCause == null || rootCause.kind() != FailureKind.INVALID_INPUT);
  }
}
