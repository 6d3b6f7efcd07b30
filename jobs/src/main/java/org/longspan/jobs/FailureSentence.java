package org.longspan.jobs;

import org.longspan.driver.recovery.RunFailedException;
import org.longspan.jobs.kubernetes.RunFailure;
import org.longspan.jobs.kubernetes.UnreachableException;

/** What a failure that is nobody's mistake says in one line. */
final class FailureSentence {
  private FailureSentence() {}

  /** The sentence of a failed run, else the deepest cause that has one. */
  static String of(Throwable failure) {
    String sentence = failure.getClass().getSimpleName();
    for (Throwable cause = failure; cause != null; cause = cause.getCause()) {
      if (cause instanceof RunFailedException
          || cause instanceof RunFailure
          || cause instanceof UnreachableException) {
        return cause.getMessage();
      }
      if (cause.getMessage() != null && !cause.getMessage().isBlank()) {
        sentence = cause.getClass().getSimpleName() + ": " + firstLine(cause.getMessage());
      }
    }
    return sentence + "; --verbose shows more";
  }

  /** Spark's messages carry whole stack traces behind their first line. */
  private static String firstLine(String message) {
    return message.strip().lines().findFirst().orElse("");
  }
}
