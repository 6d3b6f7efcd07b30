package org.longspan.executors.bench;

import com.sun.management.OperatingSystemMXBean;
import java.lang.management.ManagementFactory;
import java.util.Map;
import org.longspan.executors.layer.RankMode.LayerMemory;

/**
 * What more ranks and longer sequences cost: training steps of the bench's model, ranks as threads
 * of this process.
 */
public final class ScalingBench {
  private static final int STEPS = 3;

  private ScalingBench() {}

  /**
   * What was measured, the best of three steps.
   *
   * @param cpuSecondsPerToken of all threads of the process together
   */
  public record Result(
      int ranks,
      int tokens,
      LayerMemory memory,
      double cpuSecondsPerToken,
      double tokensPerSecond) {}

  /**
   * Steps over one sequence, cut over {@code count} ranks. All processors are busy whatever the
   * count, since a thread's processor time grows where others compete with it for caches and
   * memory: fewer ranks have more threads each, and more ranks than processors one.
   */
  public static Result ranks(int count, int tokens) {
    int processors = Runtime.getRuntime().availableProcessors();
    return measure(count, Math.max(1, processors / count), tokens, LayerMemory.KEEP);
  }

  /** Steps of one rank. */
  public static Result length(int tokens, LayerMemory memory, int threads) {
    return measure(1, threads, tokens, memory);
  }

  private static Result measure(int ranks, int threads, int tokens, LayerMemory memory) {
    Map<String, String> recompute =
        Map.of("train.recompute", Boolean.toString(memory == LayerMemory.RECOMPUTE));
    return LocalJob.run(
            BenchModel.lightning(recompute),
            ranks,
            threads,
            tokens,
            job -> {
              job.step(0);
              double cpuSeconds = Double.MAX_VALUE;
              double seconds = Double.MAX_VALUE;
              for (int step = 1; step <= STEPS; step++) {
                job.setup().everyone().barrier();
                long cpuBefore = cpuNanoseconds();
                long before = System.nanoTime();
                job.step(step);
                job.setup().everyone().barrier();
                seconds = Math.min(seconds, (System.nanoTime() - before) / 1e9);
                cpuSeconds = Math.min(cpuSeconds, (cpuNanoseconds() - cpuBefore) / 1e9);
              }
              return new Result(ranks, tokens, memory, cpuSeconds / tokens, tokens / seconds);
            })
        .get(0);
  }

  private static long cpuNanoseconds() {
    return ((OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean())
        .getProcessCpuTime();
  }
}
