package org.longspan.jobs;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.PrintStream;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import org.longspan.datapipeline.InvalidInputException;
import org.longspan.executors.bench.LatentBench;
import org.longspan.executors.latent.LatentPlan.Sharing;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Measures how evenly sequence ranks attend. */
@Command(
    name = "latent",
    description =
        "Processor time of each sequence rank's attention in a latent mixer, forward and backward,"
            + " where ranks attend for their own tokens only and where they share the work.")
final class BenchLatentCommand implements Callable<Integer> {
  @Mixin private JsonChoice output;

  @Option(
      names = "--ranks",
      paramLabel = "N",
      defaultValue = "4",
      description = "Sequence ranks, threads of this process (default: ${DEFAULT-VALUE}).")
  private int ranks;

  @Option(
      names = "--tokens",
      paramLabel = "N",
      defaultValue = "16384",
      description = "Tokens of the document that they share (default: ${DEFAULT-VALUE}).")
  private int tokens;

  @Override
  public Integer call() {
    requirePositive("--ranks", ranks);
    requirePositive("--tokens", tokens);
    PrintStream out = Terminal.standard().out();
    if (!output.isJson()) {
      out.println("Of each rank's attention: its greatest number of pairs and time over the mean");
      out.println("work              pairs          time   ms of each rank, forward + backward");
    }
    for (Sharing sharing : List.of(Sharing.CONTIGUOUS, Sharing.BALANCED)) {
      LatentBench.Result result = LatentBench.run(ranks, tokens, sharing);
      out.println(output.isJson() ? json(result) : row(result));
    }
    return 0;
  }

  private static void requirePositive(String option, int value) {
    if (value < 1) {
      throw new InvalidInputException(option + " is " + value + "; it takes 1 or more.");
    }
  }

  static String json(LatentBench.Result result) {
    ObjectNode object = JsonNodeFactory.instance.objectNode();
    object.put("work", words(result.sharing()));
    object.put("tokens", result.tokens());
    object.put("most_pairs_of_mean", result.mostPairs());
    object.put("slowest_of_mean", result.slowest());
    ArrayNode forward = object.putArray("forward_seconds");
    result.ranks().forEach(rank -> forward.add(rank.forwardSeconds()));
    ArrayNode backward = object.putArray("backward_seconds");
    result.ranks().forEach(rank -> backward.add(rank.backwardSeconds()));
    return object.toString();
  }

  private static String row(LatentBench.Result result) {
    return String.format(
        Locale.ROOT,
        "%-10s   %10.3f   %11.3f   %s",
        words(result.sharing()),
        result.mostPairs(),
        result.slowest(),
        result.ranks().stream()
            .map(
                rank ->
                    String.format(
                        Locale.ROOT,
                        "%.0f + %.0f",
                        1e3 * rank.forwardSeconds(),
                        1e3 * rank.backwardSeconds()))
            .collect(Collectors.joining(", ")));
  }

  private static String words(Sharing sharing) {
    return switch (sharing) {
      case BALANCED -> "shared";
      case CONTIGUOUS -> "own tokens";
      case CUT -> "cut";
    };
  }
}
