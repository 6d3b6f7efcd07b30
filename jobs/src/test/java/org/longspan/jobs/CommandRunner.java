package org.longspan.jobs;

import java.io.PrintWriter;
import java.io.StringWriter;

/** Runs a command line in this process and keeps what it wrote. */
public record CommandRunner(int exitCode, String output, String errors) {

  public static CommandRunner run(String... arguments) {
    StringWriter output = new StringWriter();
    StringWriter errors = new StringWriter();
    int exitCode =
        Longspan.execute(new PrintWriter(output, true), new PrintWriter(errors, true), arguments);
    return new CommandRunner(exitCode, output.toString(), errors.toString());
  }
}
