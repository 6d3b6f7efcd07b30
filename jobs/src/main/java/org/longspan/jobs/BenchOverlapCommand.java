package org.longspan.jobs;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.PrintStream;
import java.util.Locale;
import java.util.concurrent.Callable;
import org.longspan.datapipeline.InvalidInputException;
import org.longspan.executors.bench.overlap.OverlapBench;
import org.longspan.parallelism.transport.Protection;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Measures which share of a scan hides behind attention. */
@Command(
    name = "overlap",
    description =
        "The share of a scan's time that is hidden behind the ranks' own lightning attention: two"
            + " processes of one thread each. What was waited for the scan once the attention was done"
            + " is not hidden; displaced is the attention's loss of processor time to the scan's own"
            + " work.")
final class BenchOverlapCommand implements Callable<Integer> {
  @Mixin private JsonChoice output;

  @Option(
      names = "--tokens",
      paramLabel = "N",
      defaultValue = "16384",
      description = "Tokens of each rank (default: ${DEFAULT-VALUE}).")
  private int tokens;

  @Option(
      names = "--protection",
      converter = Choice.OfProtection.class,
      paramLabel = "NAME",
      defaultValue = "encrypted",
      description = "encrypted, as in training, or authenticated (default: ${DEFAULT-VALUE}).")
  private Protection protection;

  @Option(
      names = "--repetitions",
      paramLabel = "N",
      defaultValue = "21",
      description = "Repetitions, of which the median counts (default: ${DEFAULT-VALUE}).")
  private int repetitions;

  @Override
  public Integer call() {
    if (tokens < 1 || repetitions < 1) {
      throw new InvalidInputException(
          "--tokens and --repetitions take 1 or more, not " + tokens + " and " + repetitions);
    }
    PrintStream out = Terminal.standard().out();
    if (!output.isJson()) {
      out.printf(
          Locale.ROOT,
          "Two processes of one thread and %,d tokens each, %s; medians of the slower one, ms%n"
              + "direction   heads   attention      scan   together    added   waited   in flight   hidden"
              + "   displaced%n",
          tokens,
          protection.name().toLowerCase(Locale.ROOT));
    }
    new OverlapBench(tokens, repetitions, protection)
        .run(result -> out.println(output.isJson() ? json(result) : row(result)));
    return 0;
  }

  private static String direction(OverlapBench.Result result) {
    return result.direction().name().toLowerCase(Locale.ROOT);
  }

  static String json(OverlapBench.Result result) {
    ObjectNode object = JsonNodeFactory.instance.objectNode();
    object.put("direction", direction(result));
    object.put("tokens", result.tokens());
    object.put("heads", result.shape().heads());
    object.put("head_width", result.shape().keyWidth());
    object.put("local_ms", result.localSeconds() * 1e3);
    object.put("scan_ms", result.scanSeconds() * 1e3);
    object.put("together_ms", result.togetherSeconds() * 1e3);
    object.put("added_ms", result.addedSeconds() * 1e3);
    object.put("waited_ms", result.waitedSeconds() * 1e3);
    object.put("in_flight_ms", result.inFlightSeconds() * 1e3);
    object.put("displaced_ms", result.displacedSeconds() * 1e3);
    object.put("hidden_share", result.hiddenShare());
    return object.toString();
  }

  private static String row(OverlapBench.Result result) {
    return String.format(
        Locale.ROOT,
        "%-9s   %2dx%-3d   %8.2f   %7.2f   %8.2f   %6.2f   %6.2f   %9.2f   %6.2f   %9.2f   %s",
        direction(result),
        result.shape().heads(),
        result.shape().keyWidth(),
        result.localSeconds() * 1e3,
        result.scanSeconds() * 1e3,
        result.togetherSeconds() * 1e3,
        result.addedSeconds() * 1e3,
        result.waitedSeconds() * 1e3,
        result.inFlightSeconds() * 1e3,
        result.hiddenShare(),
        result.displacedSeconds() * 1e3,
        result.scan());
  }
}
