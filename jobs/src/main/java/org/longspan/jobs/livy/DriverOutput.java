package org.longspan.jobs.livy;

import java.util.List;
import java.util.Optional;
import java.util.function.Predicate;
import java.util.regex.Pattern;

/** What a driver on its standard streams says to people, among what Spark says. */
final class DriverOutput {
  private static final String PROGRAM = "longspan ";
  private static final String FAILED = " failed: ";
  private static final String SAID = ": ";

  /** Date, level and class before a message of Spark's log. */
  private static final String LOG_HEAD = "^[0-9/]+ [0-9:]+ ERROR \\S+: ";

  /** What Java and spark-submit call a failure. */
  private static final Pattern FAILURE =
      Pattern.compile(
          "Error: .*|Exception in thread .*|Caused by: .*|[\\w.$]+(Error|Exception): .*"
              + "|[0-9/]+ [0-9:]+ ERROR SparkSubmit: .*");

  /**
   * Begin the lines that are worth showing. The rest is what libraries write, and what who watches
   * the run's own log and folder says anyway.
   */
  private static final List<String> SHOWN =
      List.of(
          "Spark   ",
          "Run     ",
          "Data    ",
          "Mesh    ",
          "Rank ",
          "Attempt ",
          "Goes on ",
          "Stopped ",
          "The run's ");

  private DriverOutput() {}

  /** Whether the line of standard output is worth showing. */
  static boolean shown(String line) {
    return SHOWN.stream().anyMatch(line::startsWith);
  }

  /**
   * How the run ended, as the driver said it.
   *
   * @param mistake whether what it was asked to do cannot be done
   */
  record LastWord(String sentence, boolean mistake) {}

  /** The last sentence of ours; else the last line that looks like a failure. */
  static Optional<LastWord> lastWord(List<String> lines) {
    Optional<String> ours = last(lines, line -> line.startsWith(PROGRAM) && line.contains(SAID));
    if (ours.isPresent()) {
      String line = ours.get();
      int failed = line.indexOf(FAILED);
      return Optional.of(
          failed >= 0 && failed < line.indexOf(SAID)
              ? new LastWord(line.substring(failed + FAILED.length()), false)
              : new LastWord(line.substring(line.indexOf(SAID) + SAID.length()), true));
    }
    return last(lines, line -> FAILURE.matcher(line).matches())
        .map(line -> new LastWord(line.replaceFirst(LOG_HEAD, "").strip(), false));
  }

  private static Optional<String> last(List<String> lines, Predicate<String> like) {
    return lines.stream().filter(like).reduce((first, second) -> second);
  }
}
