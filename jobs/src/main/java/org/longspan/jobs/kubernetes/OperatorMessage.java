package org.longspan.jobs.kubernetes;

import java.util.List;
import java.util.regex.MatchResult;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * What an operator says of a run that failed. Of one that it could not submit that is everything
 * that {@code spark-submit} wrote, stack traces included.
 */
final class OperatorMessage {
  private static final Pattern THROWN =
      Pattern.compile(
          "^(?:Exception in thread \"[^\"]*\"|Caused by:) (?:[\\w$]+\\.)*([\\w$]+(?:: .*)?)$",
          Pattern.MULTILINE);

  /** What Spark's Kubernetes client puts around an API server's refusal. */
  private static final Pattern REFUSAL =
      Pattern.compile("\\w+: Failure executing: .*? Message: (.*?)\\.? Received status: .*");

  private OperatorMessage() {}

  /** One line of it: the deepest cause of what was thrown, else the last that was written. */
  static String sentence(String message) {
    List<MatchResult> thrown = THROWN.matcher(message).results().toList();
    if (thrown.isEmpty()) {
      return message.strip().lines().reduce((first, second) -> second).orElse("");
    }
    String deepest = thrown.get(thrown.size() - 1).group(1);
    Matcher refusal = REFUSAL.matcher(deepest);
    return refusal.matches()
        ? "Kubernetes refused what spark-submit asked for: " + refusal.group(1)
        : "spark-submit failed: " + deepest;
  }
}
