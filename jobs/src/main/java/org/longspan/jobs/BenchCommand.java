package org.longspan.jobs;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.Locale;
import java.util.concurrent.Callable;
import org.longspan.datapipeline.InvalidInputException;
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
      "  step   a whole training step, and the matrix products alone",
      "",
      "Examples:",
      "  longspan bench step",
      "  longspan bench step --json"
    })
final class BenchCommand implements Callable<Integer> {
  private static final int TOKENS = 16_384;
  private static final int STEPS = 5;

  @Parameters(index = "0", paramLabel = "NAME", description = "The benchmark.")
  private String name;

  @Option(names = "--json", description = "Print one object a line instead of a table.")
  private boolean json;

  @Override
  public Integer call() {
    if (!name.equals("step")) {
      throw new InvalidInputException("There is no benchmark '" + name + "'; there is: step.");
    }
    int threads = Runtime.getRuntime().availableProcessors();
    StepBench.Result result = new StepBench(TOKENS, STEPS, threads).run();
    Terminal.standard().out().println(json ? json(result) : table(result));
    return 0;
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
