package org.longspan.jobs;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.PrintStream;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import org.longspan.datapipeline.InvalidInputException;
import org.longspan.executors.bench.DeterminismBench;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Shows that the number of ranks changes no bit, and what that costs. */
@Command(
    name = "determinism",
    description =
        "Ten steps of a hybrid of all mixers with deterministic: true, for each number of sequence"
            + " ranks: the same bits? And how much slower than without?")
final class BenchDeterminismCommand implements Callable<Integer> {
  @Mixin private JsonChoice output;

  @Option(
      names = "--ranks",
      converter = RankCounts.Converter.class,
      paramLabel = "N,N",
      defaultValue = "1,2,4",
      description = "Numbers of sequence ranks (default: ${DEFAULT-VALUE}).")
  private RankCounts ranks;

  @Option(
      names = "--tokens",
      paramLabel = "N",
      defaultValue = "8192",
      description = "Tokens of the sequence that the ranks share (default: ${DEFAULT-VALUE}).")
  private int tokens;

  @Override
  public Integer call() {
    if (tokens < 1) {
      throw new InvalidInputException("--tokens is " + tokens + "; it takes 1 or more.");
    }
    PrintStream out = Terminal.standard().out();
    if (!output.isJson()) {
      out.println(
          "ranks   parameters' SHA-256    losses' SHA-256    tokens/s   fast tokens/s   cost");
    }
    List<DeterminismBench.Result> results =
        ranks.counts().stream()
            .map(
                count -> {
                  DeterminismBench.Result result = DeterminismBench.run(count, tokens);
                  out.println(output.isJson() ? json(result) : row(result));
                  return result;
                })
            .toList();
    int exitCode = exitCode(results);
    if (!output.isJson()) {
      out.println(
          exitCode == 0
              ? "Losses and parameters are the same to the last bit."
              : "Losses or parameters differ.");
    }
    return exitCode;
  }

  /** 0 where all have the same parameters and the same losses, otherwise 1. */
  static int exitCode(List<DeterminismBench.Result> results) {
    boolean same =
        results.stream().map(DeterminismBench.Result::parametersSha256).distinct().count() == 1
            && results.stream().map(DeterminismBench.Result::lossesSha256).distinct().count() == 1;
    return same ? 0 : 1;
  }

  private static String json(DeterminismBench.Result result) {
    ObjectNode object = JsonNodeFactory.instance.objectNode();
    object.put("ranks", result.ranks());
    object.put("parameters_sha256", result.parametersSha256());
    object.put("losses_sha256", result.lossesSha256());
    object.put("tokens_per_second", result.tokensPerSecond());
    object.put("tokens_per_second_fast", result.tokensPerSecondFast());
    return object.toString();
  }

  private static String row(DeterminismBench.Result result) {
    return String.format(
        Locale.ROOT,
        "%5d   %.16s…      %.16s…  %,9.0f       %,9.0f   %3.0f %%",
        result.ranks(),
        result.parametersSha256(),
        result.lossesSha256(),
        result.tokensPerSecond(),
        result.tokensPerSecondFast(),
        100 * (result.tokensPerSecondFast() / result.tokensPerSecond() - 1));
  }
}
