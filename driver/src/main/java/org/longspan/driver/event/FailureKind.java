package org.longspan.driver.event;

import org.apache.spark.SparkException;
import org.apache.spark.TaskKilledException;
import org.longspan.datapipeline.InvalidInputException;
import org.longspan.parallelism.transport.TransportException;

/** What sort of failure a rank met, the one that explains the most first. */
public enum FailureKind {
  /** The user's mistake: another attempt would end the same way. */
  INVALID_INPUT,
  /** An error on the rank itself. */
  FAULT,
  /** The rank's process is gone. */
  LOST,
  /** The rank could not reach another one, which may have failed before. */
  DISCONNECTED;

  /** The kind of a failure that a program threw. */
  public static FailureKind of(Throwable failure) {
    FailureKind kind = FAULT;
    for (Throwable cause = failure; cause != null; cause = cause.getCause()) {
      if (cause instanceof InvalidInputException) {
        return INVALID_INPUT;
      }
      if (cause instanceof TransportException
          || cause instanceof InterruptedException
          || cause instanceof SparkException
          || cause instanceof TaskKilledException) {
        kind = DISCONNECTED;
      }
    }
    return kind;
  }

  /**
   * One sentence that says what a failure is: the mistake itself, or the exception and its text.
   */
  public static String sentence(Throwable failure) {
    for (Throwable cause = failure; cause != null; cause = cause.getCause()) {
      if (cause instanceof InvalidInputException) {
        return cause.getMessage();
      }
    }
    String name = failure.getClass().getSimpleName();
    return failure.getMessage() == null ? name : name + ": " + firstLine(failure.getMessage());
  }

  /** A message without the trace that some carry below it; empty where there is none. */
  public static String firstLine(String message) {
    return message == null ? "" : message.lines().findFirst().orElse("");
  }
}
