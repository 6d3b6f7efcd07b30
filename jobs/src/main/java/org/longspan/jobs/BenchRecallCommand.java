package org.longspan.jobs;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import java.util.function.Consumer;
import org.longspan.datapipeline.InvalidInputException;
import org.longspan.driver.progress.ProgressLine;
import org.longspan.executors.bench.recall.RecallSettings;
import org.longspan.executors.bench.recall.RecallTask;
import org.longspan.executors.configuration.MixerKind;
import org.longspan.executors.layer.RankMode.Exchange;
import org.longspan.executors.train.RankEvent;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Proves that what one executor read reaches another. */
@Command(
    name = "recall",
    description =
        "Trains a small model to recall values by their keys, on executors: the pairs lie on the"
            + " first rank, the queries on the last. Once with the exchange between ranks, once with"
            + " it cut. The exit code is 0 where more than 95 %% are right with it, and without it no"
            + " more than guesses get right by luck: chance and four standard deviations.",
    footerHeading = "%nExamples:%n",
    footer = {
      "  longspan bench recall",
      "  longspan bench recall --ranks 4",
      "  longspan bench recall --mixer simple-gla --tokens 16 --cut --json"
    })
final class BenchRecallCommand implements Callable<Integer> {
  @Mixin private JsonChoice output;

  @Option(
      names = "--ranks",
      paramLabel = "N",
      defaultValue = "2",
      description = "Ranks that a sequence is cut over, 2 or more (default: ${DEFAULT-VALUE}).")
  private int ranks;

  @Option(
      names = "--mixer",
      converter = Choice.OfMixer.class,
      paramLabel = "NAME",
      defaultValue = "gated-delta",
      description =
          "The model's mixer: gated-delta, gla, simple-gla, local (with a window over the whole"
              + " sequence) or lightning (default: ${DEFAULT-VALUE}). The training is made for the"
              + " default; others do not learn to recall with every seed.")
  private MixerKind mixer;

  @Option(
      names = "--tokens",
      paramLabel = "N",
      defaultValue = "32",
      description =
          "Tokens of each rank's slice; what is not pairs or queries is filler (default:"
              + " ${DEFAULT-VALUE}).")
  private int tokens;

  @Option(
      names = "--cut",
      description =
          "Only with the exchange cut: each rank works as if nothing lay before its slice. Incoming"
              + " states and the halos of windows and convolutions are zeros on every rank, and no"
              + " message is sent for them; gradients of parameters are still summed. It is"
              + " exchange.cut of a run's configuration.")
  private boolean cut;

  @Option(
      names = "--steps",
      paramLabel = "N",
      defaultValue = "400",
      description =
          "Steps that each training takes at most; it ends as soon as the model has learned to"
              + " recall (default: ${DEFAULT-VALUE}).")
  private int steps;

  @Option(
      names = "--seed",
      paramLabel = "N",
      defaultValue = "1",
      description = "Draws the first weights and all sequences (default: ${DEFAULT-VALUE}).")
  private long seed;

  @Option(
      names = "--master",
      paramLabel = "URL",
      description = "Spark's master; without it, what spark-submit says or an embedded Spark.")
  private String master;

  private final Terminal terminal = Terminal.standard();

  @Override
  public Integer call() {
    if (steps < 1) {
      throw new InvalidInputException("--steps is " + steps + "; it takes 1 or more.");
    }
    RecallTask task = new RecallTask(ranks, tokens, seed);
    List<Exchange> exchanges = cut ? List.of(Exchange.CUT) : List.of(Exchange.WHOLE, Exchange.CUT);
    List<RecallProof.Result> results = new ArrayList<>();
    try (SparkRuntime spark = SparkRuntime.start("bench recall", master, ranks)) {
      if (!output.isJson()) {
        terminal.line(
            "Recall on %s, %,d tokens each, with %s", spark.place(ranks), tokens, name(mixer));
      }
      for (Exchange exchange : exchanges) {
        RecallSettings settings = new RecallSettings(task, mixer, steps, exchange);
        RecallProof.Result result = run(spark, settings);
        results.add(result);
        if (output.isJson()) {
          terminal.out().println(json(result));
        }
      }
    }
    if (!output.isJson()) {
      print(results);
    }
    if (!results.stream().allMatch(RecallProof.Result::isOnExecutors)) {
      throw new InvalidInputException(
          "The "
              + ranks
              + " ranks shared processes, so that nothing was proved of executors; start with a"
              + " master that gives each rank an executor of its own.");
    }
    return results.stream().allMatch(RecallProof.Result::holds) ? 0 : Failures.FAILURE;
  }

  private RecallProof.Result run(SparkRuntime spark, RecallSettings settings) {
    if (output.isJson()) {
      return RecallProof.run(spark, settings, event -> {});
    }
    terminal.line("%nTraining with the exchange %s", state(settings.exchange()));
    ProgressLine line = new ProgressLine(terminal.out(), terminal.rewritable(), steps);
    RecallProof.Result result = RecallProof.run(spark, settings, shownOn(line));
    line.end();
    return result;
  }

  private Consumer<RankEvent> shownOn(ProgressLine line) {
    return event -> {
      if (event instanceof RankEvent.Ready ready) {
        terminal.line(
            "Rank %-2d %s on %s, process %d",
            ready.rank(), ready.kernel(), ready.host(), ready.process());
      } else if (event instanceof RankEvent.Step step) {
        line.step(step);
      }
    };
  }

  private void print(List<RecallProof.Result> results) {
    terminal.line(
        "%nexchange   processes   accuracy   chance      recalled   steps   seconds   as it should be");
    for (RecallProof.Result result : results) {
      terminal.line(
          "%-8s   %9d   %7.2f %%   %4.2f %%   %5d/%-5d   %5d   %7.1f   %s",
          state(result.settings().exchange()),
          result.processes(),
          100 * result.accuracy(),
          100 * RecallTask.CHANCE,
          result.right(),
          result.asked(),
          result.steps(),
          result.seconds(),
          result.holds() ? "yes" : "no");
    }
  }

  private static String state(Exchange exchange) {
    return switch (exchange) {
      case WHOLE -> "whole";
      case CUT -> "cut";
    };
  }

  static String json(RecallProof.Result result) {
    ObjectNode object = JsonNodeFactory.instance.objectNode();
    object.put("mixer", name(result.settings().mixer()));
    object.put("ranks", result.settings().task().ranks());
    object.put("processes", result.processes());
    object.put("tokens_per_rank", result.settings().task().tokensOfRank());
    object.put("exchange", !result.isCut());
    object.put("accuracy", result.accuracy());
    object.put("chance", RecallTask.CHANCE);
    object.put("asked", result.asked());
    object.put("steps", result.steps());
    object.put("seed", result.settings().task().seed());
    object.put("seconds", result.seconds());
    return object.toString();
  }

  private static String name(MixerKind mixer) {
    return mixer.name().toLowerCase(Locale.ROOT).replace('_', '-');
  }
}
