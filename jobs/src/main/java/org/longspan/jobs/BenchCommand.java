package org.longspan.jobs;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.PrintStream;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import org.longspan.datapipeline.InvalidInputException;
import org.longspan.executors.bench.MemoryBench;
import org.longspan.executors.bench.StepBench;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Measures how fast something is here. */
@Command(
    name = "bench",
    description = "Measure how fast something is on this machine.",
    footerHeading = "%nBenchmarks:%n",
    footer = {
      "  step     a whole training step, and the matrix products alone",
      "  memory   peak memory as the slice grows, and the bytes that a token more takes",
      "",
      "Examples:",
      "  longspan bench step",
      "  longspan bench step --json"
    })
final class BenchCommand implements Callable<Integer> {
  private static final int TOKENS = 16_384;
  private static final int STEPS = 5;
  private static final List<Integer> LENGTHS = List.of(8_192, 16_384, 32_768, 65_536);

  @Parameters(index = "0", paramLabel = "NAME", description = "The benchmark.")
  private String name;

  @Option(names = "--json", description = "Print one object a line instead of a table.")
  private boolean json;

  @Override
  public Integer call() {
    int threads = Runtime.getRuntime().availableProcessors();
    PrintStream out = Terminal.standard().out();
    switch (name) {
      case "step" -> {
        StepBench.Result result = new StepBench(TOKENS, STEPS, threads).run();
        out.println(json ? json(result) : table(result));
      }
      case "memory" -> memory(new MemoryBench(LENGTHS, threads).run(), out);
      default ->
          throw new InvalidInputException(
              "There is no benchmark '" + name + "'; there are: step, memory.");
    }
    return 0;
  }

  private void memory(List<MemoryBench.Result> results, PrintStream out) {
    if (!json) {
      out.println("Peak resident memory of a rank that trains the model of bench step");
      out.println("  tokens   peak MiB   bytes a token more");
    }
    for (MemoryBench.Result result : results) {
      if (json) {
        ObjectNode object = JsonNodeFactory.instance.objectNode();
        object.put("bench", "memory");
        object.put("tokens", result.tokens());
        object.put("peak_memory_mb", result.peakMebibytes());
        object.put("bytes_per_token", result.bytesPerToken());
        out.println(object);
      } else {
        out.println(
            String.format(
                Locale.ROOT,
                "%,8d   %,8d   %,18.0f",
                result.tokens(),
                result.peakMebibytes(),
                result.bytesPerToken()));
      }
    }
  }

  private static String json(StepBench.Result result) {
    ObjectNode object = JsonNodeFactory.instance.objectNode();
    object.put("bench", "step");
    object.put("tokens", result.tokens());
    object.put("threads", result.threads());
    object.put("kernel", result.kernel());
    object.put("tokens_per_second", result.tokensPerSecond());
    object.put("step_seconds", result.stepSeconds());
    object.put("product_seconds", result.productSeconds());
    object.put("product_gflops", result.productGflops());
    object.put("step_over_products", result.overFloor());
    object.put("peak_memory_mb", result.peakMemoryMebibytes());
    return object.toString();
  }

  private static String table(StepBench.Result result) {
    return String.format(
        Locale.ROOT,
        """
        A training step of %,d tokens on %d threads, kernel %s
        step            %8.3f s   %,.0f tokens/s
        products alone  %8.3f s   %,.1f GFLOP/s
        step / products %8.2f
        peak memory     %8d MiB""",
        result.tokens(),
        result.threads(),
        result.kernel(),
        result.stepSeconds(),
        result.tokensPerSecond(),
        result.productSeconds(),
        result.productGflops(),
        result.overFloor(),
        result.peakMemoryMebibytes());
  }
}
