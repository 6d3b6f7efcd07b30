package org.longspan.jobs;

import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.PrintStream;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.ScopeType;
import picocli.CommandLine.Spec;

/**
 * The command line. It exits with 0, with 2 after a mistake of the user's, with 1 after any other
 * failure, and with 130 when it was interrupted.
 */
@Command(
    name = "longspan",
    description = "Trains language models on very long sequences, on Apache Spark.",
    mixinStandardHelpOptions = true,
    scope = ScopeType.INHERIT,
    versionProvider = BuildVersions.class,
    sortOptions = false,
    usageHelpAutoWidth = true,
    subcommands = {
      PrepareCommand.class,
      TrainCommand.class,
      SubmitCommand.class,
      EvaluateCommand.class,
      GenerateCommand.class,
      ConvertCommand.class,
      DemoCommand.class,
      BenchCommand.class,
      DevicesCommand.class,
      ConformCommand.class,
      CrossCheckCommand.class
    })
public final class Longspan implements Runnable {
  @Spec private CommandSpec spec;

  @Option(
      names = "--verbose",
      scope = ScopeType.INHERIT,
      description = "Show the libraries' log, and stack traces of failures.")
  private boolean verbose;

  private Longspan() {}

  public static void main(String[] arguments) {
    // In UTF-8 whatever the locale says: models write any text.
    System.setOut(
        new PrintStream(new FileOutputStream(FileDescriptor.out), true, StandardCharsets.UTF_8));
    PrintWriter out = new PrintWriter(System.out, true, StandardCharsets.UTF_8);
    PrintWriter errors = new PrintWriter(ErrorStream.restore(), true, StandardCharsets.UTF_8);
    System.exit(execute(out, errors, arguments));
  }

  /** Runs one command and returns the exit code. */
  static int execute(PrintWriter out, PrintWriter errors, String... arguments) {
    Longspan longspan = new Longspan();
    CommandLine commandLine = new CommandLine(longspan);
    Failures failures = new Failures();
    return commandLine
        .setOut(out)
        .setErr(errors)
        .setParameterExceptionHandler(failures)
        .setExecutionExceptionHandler(failures)
        .setExecutionStrategy(
            parsed -> {
              if (longspan.verbose) {
                LibraryLog.toTerminal();
              }
              return new CommandLine.RunLast().execute(parsed);
            })
        .execute(arguments);
  }

  @Override
  public void run() {
    throw new ParameterException(spec.commandLine(), "A command is missing.");
  }

  boolean verbose() {
    return verbose;
  }
}
