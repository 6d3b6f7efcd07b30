package org.longspan.jobs;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * The messages that docs/deploy.md and docs/livy.md quote: between backticks, or on a line
 * indented.
 */
public final class GuideQuotes {
  private static final Path DOCS = Path.of("../docs");
  private static final Pattern QUOTE =
      Pattern.compile(
          "`(…[^`]*|longspan \\w+( failed)?: [^`]*)`|^    (longspan \\w+( failed)?: .*)$",
          Pattern.MULTILINE);

  /** Paths of a machine, endings of batches' names, numbers. */
  private static final Pattern VARIABLE = Pattern.compile("…|/tmp/\\S*/|-[0-9a-f]{8}\\b|\\d+");

  private GuideQuotes() {}

  /**
   * Fails where no quote is the message. Numbers, and what a run makes up, may be others; … stands
   * for anything.
   */
  public static void assertQuoted(String message) {
    String line = message.strip();
    assertThat(patterns())
        .as("quotes of %s", DOCS)
        .anyMatch(pattern -> pattern.matcher(line).matches());
  }

  private static List<Pattern> patterns() {
    return Stream.of("deploy.md", "livy.md")
        .map(GuideQuotes::read)
        .flatMap(text -> QUOTE.matcher(text).results())
        .map(found -> found.group(1) != null ? found.group(1) : found.group(3))
        .map(GuideQuotes::pattern)
        .toList();
  }

  private static Pattern pattern(String quote) {
    return Pattern.compile(
        Arrays.stream(VARIABLE.split(quote, -1))
            .map(Pattern::quote)
            .collect(Collectors.joining(".*")));
  }

  private static String read(String file) {
    try {
      return Files.readString(DOCS.resolve(file));
    } catch (IOException missing) {
      throw new UncheckedIOException(missing);
    }
  }
}
