package org.longspan.jobs;

import java.util.List;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import org.longspan.datapipeline.InvalidInputException;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** Measures how fast something is here. */
@Command(
    name = "bench",
    description = "Measure how fast something is on this machine.",
    subcommands = {
      BenchStepCommand.class,
      BenchKernelsCommand.class,
      BenchMemoryCommand.class,
      BenchCollectivesCommand.class,
      BenchOverlapCommand.class,
      BenchScalingCommand.class,
      BenchLatentCommand.class,
      BenchDeterminismCommand.class,
      BenchRecallCommand.class
    },
    commandListHeading = "%nBenchmarks:%n",
    footerHeading = "%nExamples:%n",
    footer = {
      "  longspan bench step",
      "  longspan bench scaling --ranks 1,2,4 --json",
      "  longspan bench step --help"
    })
final class BenchCommand implements Callable<Integer> {
  @Spec private CommandSpec spec;

  @Parameters(arity = "0..*", hidden = true)
  private List<String> unknown;

  @Override
  public Integer call() {
    String names = spec.subcommands().keySet().stream().collect(Collectors.joining(", "));
    throw new InvalidInputException(
        (unknown == null
                ? "Which benchmark is to run?"
                : "There is no benchmark '" + unknown.get(0) + "'.")
            + " There are: "
            + names
            + ".");
  }
}
