package org.longspan.jobs;

import picocli.CommandLine.Option;

/** Whether a benchmark prints for people or for programs. */
final class JsonChoice {
  @Option(names = "--json", description = "Print one object a line instead of a table.")
  private boolean json;

  boolean isJson() {
    return json;
  }
}
