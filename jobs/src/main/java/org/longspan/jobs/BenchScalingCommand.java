package org.longspan.jobs;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.PrintStream;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import org.longspan.datapipeline.InvalidInputException;
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

  /** What grows from line to line, and so what a line's ratio is of. */
  enum Part {
    /** The ratio is of CPU time a token to that of one rank. */
    RANKS,
    /** The ratio is of tokens/s to those of the shortest sequence. */
    LENGTH
  }

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

  private final ScalingBench bench = new ScalingBench();

  @Override
  public Integer call() {
    check();
    PrintStream out = Terminal.standard().out();
    if (!output.isJson()) {
      out.println("CPU time a token on several ranks that share all processors, against one rank");
      header(out);
    }
    ScalingBench.Result one = null;
    for (int count : ranks.counts()) {
      ScalingBench.Result result = bench.ranks(count, tokens);
      one = one == null ? result : one;
      double ratio = result.cpuSecondsPerToken() / one.cpuSecondsPerToken();
      out.println(output.isJson() ? json(Part.RANKS, result, ratio) : row(result, ratio));
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

  private void check() {
    if (tokens < 1) {
      throw new InvalidInputException("--tokens is " + tokens + "; it takes 1 or more.");
    }
    if (longest < 0) {
      throw new InvalidInputException("--longest is " + longest + "; it takes 0 or more.");
    }
    int first = ranks.counts().get(0);
    if (first != 1) {
      throw new InvalidInputException(
          "--ranks starts with " + first + "; it takes 1 first, against which the others count.");
    }
  }

  private void lengths(List<Integer> lengths, LayerMemory memory, int threads, PrintStream out) {
    double first = 0;
    for (int length : lengths) {
      if (length > longest) {
        return;
      }
      ScalingBench.Result result = bench.length(length, memory, threads);
      first = first == 0 ? result.tokensPerSecond() : first;
      double ratio = result.tokensPerSecond() / first;
      out.println(output.isJson() ? json(Part.LENGTH, result, ratio) : row(result, ratio));
    }
  }

  private static void header(PrintStream out) {
    out.println("ranks    tokens   recompute   CPU µs a token   tokens/s   ratio");
  }

  static String json(Part part, ScalingBench.Result result, double ratio) {
    ObjectNode object = JsonNodeFactory.instance.objectNode();
    object.put("part", part.name().toLowerCase(Locale.ROOT));
    object.put("ranks", result.ranks());
    object.put("tokens", result.tokens());
    object.put("recompute", recomputes(result));
    object.put("cpu_seconds_per_token", result.cpuSecondsPerToken());
    object.put("tokens_per_second", result.tokensPerSecond());
    object.put("ratio", ratio);
    return object.toString();
  }

  private static String row(ScalingBench.Result result, double ratio) {
    return String.format(
        Locale.ROOT,
        "%5d   %,7d   %9s   %14.1f   %,8.0f   %5.3f",
        result.ranks(),
        result.tokens(),
        recomputes(result) ? "yes" : "no",
        result.cpuSecondsPerToken() * 1e6,
        result.tokensPerSecond(),
        ratio);
  }

  private static boolean recomputes(ScalingBench.Result result) {
    return result.memory() == LayerMemory.RECOMPUTE;
  }
}
