package org.longspan.jobs;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.PrintStream;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import org.longspan.executors.bench.MemoryBench;
import org.longspan.executors.layer.RankMode.LayerMemory;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Measures what a rank holds. */
@Command(
    name = "memory",
    description = "Peak memory as the slice grows, and the bytes that a token more takes.")
final class BenchMemoryCommand implements Callable<Integer> {
  private static final List<Integer> LENGTHS = List.of(8_192, 16_384, 32_768, 65_536);
  private static final List<Integer> RECOMPUTED_LENGTHS =
      List.of(8_192, 16_384, 32_768, 65_536, 131_072, 262_144);

  @Mixin private JsonChoice output;

  @Option(
      names = "--recompute",
      description = "Layers keep their inputs only (train.recompute), up to 262,144 tokens.")
  private boolean recompute;

  @Override
  public Integer call() {
    int threads = Runtime.getRuntime().availableProcessors();
    PrintStream out = Terminal.standard().out();
    if (!output.isJson()) {
      out.println(
          "Peak resident memory of a rank that trains the model of bench step"
              + (recompute ? ", with recomputation" : ""));
      out.println("  tokens   peak MiB   counted MiB   bytes a token more   tokens/s");
    }
    MemoryBench bench =
        recompute
            ? new MemoryBench(RECOMPUTED_LENGTHS, threads, LayerMemory.RECOMPUTE)
            : new MemoryBench(LENGTHS, threads, LayerMemory.KEEP);
    bench.run(result -> print(result, out));
    return 0;
  }

  private void print(MemoryBench.Result result, PrintStream out) {
    if (output.isJson()) {
      ObjectNode object = JsonNodeFactory.instance.objectNode();
      object.put("bench", "memory");
      object.put("tokens", result.tokens());
      object.put("recompute", recompute);
      object.put("peak_memory_mb", result.peakMebibytes());
      object.put("counted_memory_mb", result.countedMebibytes());
      object.put("bytes_per_token", result.bytesPerToken());
      object.put("tokens_per_second", result.tokensPerSecond());
      out.println(object);
    } else {
      out.println(
          String.format(
              Locale.ROOT,
              "%,8d   %,8d   %,11d   %,18.0f   %,8.0f",
              result.tokens(),
              result.peakMebibytes(),
              result.countedMebibytes(),
              result.bytesPerToken(),
              result.tokensPerSecond()));
    }
  }
}
