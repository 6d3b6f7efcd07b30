package org.longspan.jobs;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.PrintStream;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import org.longspan.executors.bench.ScalingBench;
import org.longspan.executors.layer.RankMode.LayerMemory;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Measures what ranks and length cost. */
@Command(
    name = "scaling",
    description =
        "CPU seconds a token of a training step on several ranks against one, over the same"
            + " sequence; and tokens/s of one rank as the sequence grows.")
final class BenchScalingCommand implements Callable<Integer> {
  private static final List<Integer> KEPT = List.of(8_192, 16_384, 32_768, 65_536);
  private static final List<Integer> RECOMPUTED = List.of(8_192, 131_072, 262_144);

  @Mixin private JsonChoice output;

  @Option(
      names = "--ranks",
      converter = RankCounts.Converter.class,
      paramLabel = "N,N",
      defaultValue = "1,2,4",
      description = "Numbers of sequence ranks, 1 first (default: ${DEFAULT-VALUE}).")
  private RankCounts ranks;

  @Option(
      names = "--tokens",
      paramLabel = "N",
      defaultValue = "65536",
      description = "Tokens of the sequence that the ranks share (default: ${DEFAULT-VALUE}).")
  private int tokens;

  @Option(
      names = "--longest",
      paramLabel = "N",
      defaultValue = "262144",
      description =
          "Tokens of the longest sequence that one rank trains; 0 leaves this part out (default:"
              + " ${DEFAULT-VALUE}).")
  private int longest;

  @Override
  public Integer call() {
    PrintStream out = Terminal.standard().out();
    if (!output.isJson()) {
      out.println("CPU time a token on several ranks that share all processors, against one rank");
      header(out);
    }
    ScalingBench.Result one = null;
    for (int count : ranks.counts()) {
      ScalingBench.Result result = ScalingBench.ranks(count, tokens);
      one = one == null ? result : one;
      print(result, result.cpuSecondsPerToken() / one.cpuSecondsPerToken(), out);
    }
    int threads = Runtime.getRuntime().availableProcessors();
    if (longest > 0 && !output.isJson()) {
      out.println();
      out.println("Tokens/s of one rank, best of three, against its shortest sequence");
      header(out);
    }
    lengths(KEPT, LayerMemory.KEEP, threads, out);
    lengths(RECOMPUTED, LayerMemory.RECOMPUTE, threads, out);
    return 0;
  }

  private void lengths(List<Integer> lengths, LayerMemory memory, int threads, PrintStream out) {
    double first = 0;
    for (int length : lengths) {
      if (length > longest) {
        return;
      }
      ScalingBench.Result result = ScalingBench.length(length, memory, threads);
      first = first == 0 ? result.tokensPerSecond() : first;
      print(result, result.tokensPerSecond() / first, out);
    }
  }

  private static void header(PrintStream out) {
    out.println("ranks    tokens   recompute   CPU µs a token   tokens/s   ratio");
  }

  private void print(ScalingBench.Result result, double ratio, PrintStream out) {
    boolean recompute = result.memory() == LayerMemory.RECOMPUTE;
    if (output.isJson()) {
      ObjectNode object = JsonNodeFactory.instance.objectNode();
      object.put("ranks", result.ranks());
      object.put("tokens", result.tokens());
      object.put("recompute", recompute);
      object.put("cpu_seconds_per_token", result.cpuSecondsPerToken());
      object.put("tokens_per_second", result.tokensPerSecond());
      object.put("ratio", ratio);
      out.println(object);
    } else {
      out.println(
          String.format(
              Locale.ROOT,
              "%5d   %,7d   %9s   %14.1f   %,8.0f   %5.3f",
              result.ranks(),
              result.tokens(),
              recompute ? "yes" : "no",
              result.cpuSecondsPerToken() * 1e6,
              result.tokensPerSecond(),
              ratio));
    }
  }
}
