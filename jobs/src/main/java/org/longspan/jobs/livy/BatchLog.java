package org.longspan.jobs.livy;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;

/**
 * The newest lines that Livy keeps of what {@code spark-submit} wrote. With the driver in that
 * process they are the driver's.
 *
 * @param output lines of its standard output, and of its standard error where Livy joins them
 * @param errors lines of its standard error otherwise and, on YARN, what YARN says of the
 *     application
 */
record BatchLog(List<String> output, List<String> errors) {
  private static final String OUTPUT = "stdout:";
  private static final String ERRORS = "stderr:";

  static BatchLog of(JsonNode lines) {
    List<String> output = new ArrayList<>();
    List<String> errors = new ArrayList<>();
    List<String> section = errors;
    for (JsonNode node : lines) {
      String line = node.asText();
      if (line.strip().equals(OUTPUT)) {
        section = output;
      } else if (line.strip().equals(ERRORS)) {
        section = errors;
      } else {
        section.add(line);
      }
    }
    return new BatchLog(output, errors);
  }

  /** Both, the output first: Livy 0.7.1 keeps a driver's errors among its output. */
  List<String> all() {
    return Stream.concat(output.stream(), errors.stream()).toList();
  }
}
