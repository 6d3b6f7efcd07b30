package org.longspan.jobs;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.Locale;
import java.util.concurrent.Callable;
import org.longspan.executors.bench.StepBench;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

/** Measures a whole training step. */
@Command(name = "step", description = "A whole training step, and the matrix products alone.")
final class BenchStepCommand implements Callable<Integer> {
  private static final int TOKENS = 16_384;
  private static final int STEPS = 5;

  @Mixin private JsonChoice output;

  @Override
  public Integer call() {
    int threads = Runtime.getRuntime().availableProcessors();
    StepBench.Result result = new StepBench(TOKENS, STEPS, threads).run();
    Terminal.standard().out().println(output.isJson() ? json(result) : table(result));
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
