package org.longspan.jobs;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.PrintStream;
import java.util.concurrent.Callable;
import org.longspan.datapipeline.InvalidInputException;
import org.longspan.executors.bench.collective.CollectiveBench;
import org.longspan.executors.bench.collective.CollectiveResult;
import org.longspan.executors.bench.collective.LinkBench;
import org.longspan.executors.bench.collective.LinkCosts;
import org.longspan.executors.bench.collective.TransportResult;
import org.longspan.parallelism.transport.Protection;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Measures scans, other collectives and the transport between processes. */
@Command(
    name = "collectives",
    description =
        "Scans and other collectives between processes of this machine, beside the all-gather of"
            + " the states and what a model of the link predicts; and the transport beside a plain"
            + " socket.")
final class BenchCollectivesCommand implements Callable<Integer> {
  @Mixin private JsonChoice output;

  @Option(
      names = "--ranks",
      converter = RankCounts.Converter.class,
      paramLabel = "N,N",
      defaultValue = "2,4,8",
      description = "Numbers of ranks, each of 2 or more (default: ${DEFAULT-VALUE}).")
  private RankCounts ranks;

  @Option(
      names = "--protection",
      converter = Choice.OfProtection.class,
      paramLabel = "NAME",
      defaultValue = "encrypted",
      description =
          "Of the collectives: encrypted, as in training, or authenticated (default:"
              + " ${DEFAULT-VALUE}). The transport itself is measured with both.")
  private Protection protection;

  @Option(
      names = "--repetitions",
      paramLabel = "N",
      defaultValue = "15",
      description = "Repetitions, of which the median counts (default: ${DEFAULT-VALUE}).")
  private int repetitions;

  @Override
  public Integer call() {
    if (repetitions < 1) {
      throw new InvalidInputException("--repetitions takes 1 or more, not " + repetitions);
    }
    if (ranks.counts().contains(1)) {
      throw new InvalidInputException("--ranks takes numbers of 2 or more: one rank sends nothing");
    }
    PrintStream out = Terminal.standard().out();
    CollectiveTable table = new CollectiveTable(out, protection);
    LinkCosts costs = collectives(table, out);
    if (!output.isJson()) {
      CollectiveBench.HEADS.forEach(heads -> table.predictions(costs, heads));
      table.transportHeader();
    }
    for (Protection each : Protection.values()) {
      for (TransportResult result : LinkBench.run(repetitions, each)) {
        if (output.isJson()) {
          out.println(json(result));
        } else {
          table.row(result);
        }
      }
    }
    return 0;
  }

  /** Gives the costs measured with the first number of ranks. */
  private LinkCosts collectives(CollectiveTable table, PrintStream out) {
    CollectiveBench bench = new CollectiveBench(repetitions, protection);
    LinkCosts first = null;
    for (int count : ranks.counts()) {
      CollectiveBench.OfRanks measured = bench.run(count);
      first = first == null ? measured.costs() : first;
      if (!output.isJson()) {
        if (count != ranks.counts().get(0)) {
          out.println();
        }
        table.header(count, measured.costs());
      }
      for (CollectiveResult result : measured.results()) {
        if (output.isJson()) {
          out.println(json(result));
        } else {
          table.row(result);
        }
      }
    }
    return first;
  }

  static String json(CollectiveResult result) {
    ObjectNode object = JsonNodeFactory.instance.objectNode();
    object.put("collective", result.collective());
    object.put("ranks", result.ranks());
    object.put("state_bytes", result.stateBytes());
    object.put("median_ms", result.medianSeconds() * 1e3);
    object.put("received_bytes", result.receivedBytes());
    object.put("ratio", result.ratio());
    return object.toString();
  }

  static String json(TransportResult result) {
    ObjectNode object = JsonNodeFactory.instance.objectNode();
    object.put("collective", result.name());
    object.put("protection", CollectiveTable.name(result.protection()));
    object.put("gigabytes_per_second", result.gigabytesPerSecond());
    object.put("microseconds", result.microseconds());
    object.put("ratio", result.ratio());
    return object.toString();
  }
}
