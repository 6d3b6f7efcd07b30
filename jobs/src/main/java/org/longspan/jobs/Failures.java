package org.longspan.jobs;

import java.util.regex.Pattern;
import org.longspan.datapipeline.InvalidInputException;
import org.longspan.executors.configuration.EditDistance;
import picocli.CommandLine;
import picocli.CommandLine.IExecutionExceptionHandler;
import picocli.CommandLine.IParameterExceptionHandler;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.ParseResult;
import picocli.CommandLine.UnmatchedArgumentException;

/** Turns what went wrong into one sentence on standard error and an exit code. */
final class Failures implements IParameterExceptionHandler, IExecutionExceptionHandler {
  static final int MISTAKE = 2;
  static final int FAILURE = 1;
  static final int INTERRUPTED = 130;

  /** Before a local path, which people write without. */
  private static final Pattern LOCAL_SCHEME = Pattern.compile("\\bfile:/+");

  @Override
  public int handleParseException(ParameterException mistake, String[] arguments) {
    CommandLine command = mistake.getCommandLine();
    String name = command.getCommandSpec().qualifiedName();
    print(command, name + ": " + sentence(mistake) + " Try '" + name + " --help'.");
    return MISTAKE;
  }

  @Override
  public int handleExecutionException(Exception failure, CommandLine command, ParseResult parsed) {
    if (Interruption.underWay()) {
      return INTERRUPTED;
    }
    InvalidInputException mistake = mistake(failure);
    String name = command.getCommandSpec().qualifiedName();
    if (mistake != null) {
      print(command, name + ": " + ended(mistake.getMessage()));
    } else {
      print(command, name + " failed: " + ended(FailureSentence.of(failure)));
    }
    if (command.getCommandSpec().root().userObject() instanceof Longspan longspan
        && longspan.verbose()) {
      failure.printStackTrace(command.getErr());
    }
    return mistake != null ? MISTAKE : FAILURE;
  }

  private static void print(CommandLine command, String line) {
    command.getErr().println(LOCAL_SCHEME.matcher(line).replaceAll("/"));
    command.getErr().flush();
  }

  private static InvalidInputException mistake(Throwable failure) {
    for (Throwable cause = failure; cause != null; cause = cause.getCause()) {
      if (cause instanceof InvalidInputException mistake) {
        return mistake;
      }
    }
    return null;
  }

  private static String sentence(ParameterException mistake) {
    if (mistake instanceof UnmatchedArgumentException unmatched) {
      return unmatched(unmatched);
    }
    // picocli puts the word before what begins with it already.
    return ended(oneLine(mistake.getMessage()).replace("option option ", "option "));
  }

  private static String unmatched(UnmatchedArgumentException unmatched) {
    String found = unmatched.getUnmatched().get(0);
    boolean root = unmatched.getCommandLine().getParent() == null;
    String kind = found.startsWith("-") ? "option" : root ? "command" : "argument";
    String advice =
        unmatched.getSuggestions().stream()
            .filter(suggestion -> isNear(found, suggestion))
            .findFirst()
            .map(near -> "; the nearest one is '" + near + "'.")
            .orElse(".");
    return "Unknown " + kind + " '" + found + "'" + advice;
  }

  /** picocli's best suggestion may have nothing in common with what was written. */
  private static boolean isNear(String found, String suggestion) {
    int edits = EditDistance.between(found, suggestion);
    return edits * 2 <= Math.max(found.length(), suggestion.length())
        || suggestion.startsWith(found);
  }

  private static String oneLine(String message) {
    return message.replaceAll("\\s*\\R\\s*", " ").strip();
  }

  private static String ended(String sentence) {
    String line = oneLine(sentence);
    return line.endsWith(".") || line.endsWith("!") || line.endsWith("?") ? line : line + ".";
  }
}
