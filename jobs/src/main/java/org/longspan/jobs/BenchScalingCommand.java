package org.longspan.jobs;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.PrintStream;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.stream.IntStream;
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
    /**
     * One rank with as many threads as ranks that share the processors: what taking turns costs by
     * itself. The ratio is as that of ranks.
     */
    THREADS,
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

  @Option(
      names = "--turns",
      paramLabel = "N",
      defaultValue = "3",
      description =
          "How often each number of ranks is measured, one after the other: the best of each, and"
              + " the median of the turns' ratios"
              + " (default: ${DEFAULT-VALUE}).")
  private int turns;

  private final ScalingBench bench = new ScalingBench();

  @Override
  public Integer call() {
    check();
    PrintStream out = Terminal.standard().out();
    if (!output.isJson()) {
      out.println("CPU time a token on several ranks that share all processors, against one rank");
      header(out);
    }
    int threads = Runtime.getRuntime().availableProcessors();
    ranksInTurns(threads, out);
    if (longest > 0 && !output.isJson()) {
      out.println();
      out.println("Tokens/s of one rank, best of three, against its shortest sequence");
      header(out);
    }
    Optional<ScalingBench.Result> kept = lengths(KEPT, LayerMemory.KEEP, threads, out);
    Optional<ScalingBench.Result> recomputed =
        lengths(RECOMPUTED, LayerMemory.RECOMPUTE, threads, out);
    if (kept.isPresent() && recomputed.isPresent() && !output.isJson()) {
      out.println();
      out.println(recomputation(kept.get(), recomputed.get()));
    }
    return 0;
  }

  /**
   * Several times one number of ranks after the other, since a machine is faster at one time than
   * at another: each turn has a ratio of its own, of which the median counts.
   */
  private void ranksInTurns(int threads, PrintStream out) {
    Map<Integer, List<ScalingBench.Result>> ofRanks = new LinkedHashMap<>();
    Map<Integer, List<ScalingBench.Result>> ofThreads = new LinkedHashMap<>();
    for (int turn = 1; turn <= turns; turn++) {
      for (int count : ranks.counts()) {
        System.err.println("turn " + turn + " of " + turns + ", " + count + " ranks");
        add(ofRanks, count, bench.ranks(count, tokens));
        if (count > threads) {
          add(ofThreads, count, bench.threads(count, tokens));
        }
      }
    }
    List<ScalingBench.Result> one = ofRanks.get(1);
    ofRanks.values().forEach(results -> print(Part.RANKS, results, one, out));
    ofThreads.values().forEach(results -> print(Part.THREADS, results, one, out));
  }

  private static void add(
      Map<Integer, List<ScalingBench.Result>> results, int count, ScalingBench.Result result) {
    results.computeIfAbsent(count, any -> new ArrayList<>()).add(result);
  }

  private void print(
      Part part,
      List<ScalingBench.Result> results,
      List<ScalingBench.Result> one,
      PrintStream out) {
    double ratio = medianRatio(results, one);
    ScalingBench.Result best = results.stream().reduce(ScalingBench.Result::best).orElseThrow();
    out.println(output.isJson() ? json(part, best, ratio) : row(best, ratio));
  }

  /** The median of the processor times against those of one rank in the same turn. */
  static double medianRatio(List<ScalingBench.Result> results, List<ScalingBench.Result> one) {
    double[] ratios =
        IntStream.range(0, results.size())
            .mapToDouble(
                turn -> results.get(turn).cpuSecondsPerToken() / one.get(turn).cpuSecondsPerToken())
            .sorted()
            .toArray();
    int middle = ratios.length / 2;
    return ratios.length % 2 == 1 ? ratios[middle] : (ratios[middle - 1] + ratios[middle]) / 2;
  }

  private void check() {
    if (tokens < 1) {
      throw new InvalidInputException("--tokens is " + tokens + "; it takes 1 or more.");
    }
    if (turns < 1) {
      throw new InvalidInputException("--turns is " + turns + "; it takes 1 or more.");
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

  /** Measures and prints them, and gives the first, against which the others count. */
  private Optional<ScalingBench.Result> lengths(
      List<Integer> lengths, LayerMemory memory, int threads, PrintStream out) {
    ScalingBench.Result first = null;
    for (int length : lengths) {
      if (length > longest) {
        break;
      }
      ScalingBench.Result result = bench.length(length, memory, threads);
      first = first == null ? result : first;
      double ratio = result.tokensPerSecond() / first.tokensPerSecond();
      out.println(output.isJson() ? json(Part.LENGTH, result, ratio) : row(result, ratio));
    }
    return Optional.ofNullable(first);
  }

  /** What recomputing costs and saves at one length. */
  static String recomputation(ScalingBench.Result kept, ScalingBench.Result recomputed) {
    return String.format(
        Locale.ROOT,
        "At %,d tokens train.recompute costs %.0f %% of the tokens/s and saves %.0f %% of the memory"
            + " beside the heap (%,d of %,d MiB).",
        kept.tokens(),
        100 * (1 - recomputed.tokensPerSecond() / kept.tokensPerSecond()),
        100 * (1 - (double) recomputed.memoryBytes() / kept.memoryBytes()),
        (kept.memoryBytes() - recomputed.memoryBytes()) >> 20,
        kept.memoryBytes() >> 20);
  }

  private static void header(PrintStream out) {
    out.println(
        "ranks   threads    tokens   recompute   MiB a rank   CPU µs a token   tokens/s   ratio");
  }

  static String json(Part part, ScalingBench.Result result, double ratio) {
    ObjectNode object = JsonNodeFactory.instance.objectNode();
    object.put("part", part.name().toLowerCase(Locale.ROOT));
    object.put("ranks", result.ranks());
    object.put("threads", result.threads());
    object.put("tokens", result.tokens());
    object.put("recompute", recomputes(result));
    object.put("memory_mb", result.memoryBytes() >> 20);
    object.put("cpu_seconds_per_token", result.cpuSecondsPerToken());
    object.put("tokens_per_second", result.tokensPerSecond());
    object.put("ratio", ratio);
    return object.toString();
  }

  private static String row(ScalingBench.Result result, double ratio) {
    return String.format(
        Locale.ROOT,
        "%5d   %7d   %,7d   %9s   %,10d   %14.1f   %,8.0f   %5.3f",
        result.ranks(),
        result.threads(),
        result.tokens(),
        recomputes(result) ? "yes" : "no",
        result.memoryBytes() >> 20,
        result.cpuSecondsPerToken() * 1e6,
        result.tokensPerSecond(),
        ratio);
  }

  private static boolean recomputes(ScalingBench.Result result) {
    return result.memory() == LayerMemory.RECOMPUTE;
  }
}
