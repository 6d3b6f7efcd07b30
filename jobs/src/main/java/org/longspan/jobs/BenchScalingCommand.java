package org.longspan.jobs;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.PrintStream;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
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
          "How often each number of ranks is measured, one after the other; the best counts"
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
   * Several times one number of ranks after the other, of which the best counts: a machine that is
   * faster at one time than at another is so to all of them.
   */
  private void ranksInTurns(int threads, PrintStream out) {
    Map<Integer, ScalingBench.Result> ofRanks = new LinkedHashMap<>();
    Map<Integer, ScalingBench.Result> ofThreads = new LinkedHashMap<>();
    for (int turn = 0; turn < turns; turn++) {
      for (int count : ranks.counts()) {
        ofRanks.merge(count, bench.ranks(count, tokens), ScalingBench.Result::best);
        if (count > threads) {
          ofThreads.merge(count, bench.threads(count, tokens), ScalingBench.Result::best);
        }
      }
    }
    ScalingBench.Result one = ofRanks.get(1);
    ofRanks.values().forEach(result -> print(Part.RANKS, result, one, out));
    ofThreads.values().forEach(result -> print(Part.THREADS, result, one, out));
  }

  private void print(
      Part part, ScalingBench.Result result, ScalingBench.Result one, PrintStream out) {
    double ratio = result.cpuSecondsPerToken() / one.cpuSecondsPerToken();
    out.println(output.isJson() ? json(part, result, ratio) : row(result, ratio));
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
