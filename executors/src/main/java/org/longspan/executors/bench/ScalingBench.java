package org.longspan.executors.bench;

import com.sun.management.OperatingSystemMXBean;
import java.lang.management.ManagementFactory;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Map;
import org.longspan.executors.configuration.RunConfiguration;
import org.longspan.executors.layer.RankMode.LayerMemory;
import org.longspan.executors.model.ModelShape;
import org.longspan.executors.train.RankMemory;
import org.longspan.parallelism.collective.Communicator;
import org.longspan.parallelism.collective.ElementType;

/**
 * What more ranks and longer sequences cost: training steps of the bench's model, ranks as threads
 * of this process.
 */
public final class ScalingBench {
  private static final int STEPS = 3;
  private static final int WARM_UP_TOKENS = 65_536;
  private static final int WARM_UP_SUMS = 50;
  private static final int WARM_UP_BYTES = 16 << 20;

  private final int warmUpTokens;
  private final int warmUpSums;

  /** With steps and sums before the measured ones until they have been compiled. */
  public ScalingBench() {
    this(WARM_UP_TOKENS, WARM_UP_SUMS);
  }

  ScalingBench(int warmUpTokens, int warmUpSums) {
    this.warmUpTokens = warmUpTokens;
    this.warmUpSums = warmUpSums;
  }

  /**
   * What was measured, the best of some steps.
   *
   * @param threads of each rank
   * @param memoryBytes that {@link RankMemory} counts for a rank beside the heap
   * @param cpuSecondsPerToken of all threads of the process together
   */
  public record Result(
      int ranks,
      int threads,
      int tokens,
      LayerMemory memory,
      long memoryBytes,
      double cpuSecondsPerToken,
      double tokensPerSecond) {

    /** The better of two measurements of the same, in each respect. */
    public Result best(Result other) {
      return new Result(
          ranks,
          threads,
          tokens,
          memory,
          memoryBytes,
          Math.min(cpuSecondsPerToken, other.cpuSecondsPerToken),
          Math.max(tokensPerSecond, other.tokensPerSecond));
    }
  }

  /**
   * Steps over one sequence, cut over {@code count} ranks. All processors are busy whatever the
   * count, since a thread's processor time grows where others compete with it for caches and
   * memory: fewer ranks have more threads each, and more ranks than processors one.
   */
  public Result ranks(int count, int tokens) {
    int processors = Runtime.getRuntime().availableProcessors();
    return measure(count, Math.max(1, processors / count), tokens, LayerMemory.KEEP);
  }

  /** Steps of one rank whose threads may be more than the processors, and then take turns. */
  public Result threads(int count, int tokens) {
    return measure(1, count, tokens, LayerMemory.KEEP);
  }

  /** Steps of one rank. */
  public Result length(int tokens, LayerMemory memory, int threads) {
    return measure(1, threads, tokens, memory);
  }

  private Result measure(int ranks, int threads, int tokens, LayerMemory memory) {
    RunConfiguration configuration =
        BenchModel.lightning(
            Map.of(
                "train.recompute", Boolean.toString(memory == LayerMemory.RECOMPUTE),
                "mesh.sequence", Integer.toString(ranks)));
    long memoryBytes =
        RankMemory.of(
                configuration, ModelShape.of(configuration, BenchModel.VOCABULARY), tokens, threads)
            .bytes();
    return LocalJob.run(
            configuration,
            ranks,
            threads,
            tokens,
            job -> {
              warmUp(job, tokens);
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
              return new Result(
                  ranks,
                  threads,
                  tokens,
                  memory,
                  memoryBytes,
                  cpuSeconds / tokens,
                  tokens / seconds);
            })
        .get(0);
  }

  /**
   * Steps over as many tokens whatever their length, and about as many sums over the ranks as fifty
   * steps make: what they cost until they are compiled belongs to a run's first steps, not to each.
   */
  private void warmUp(LocalJob job, int tokens) {
    for (int done = 0; done < warmUpTokens; done += tokens) {
      job.step(0);
    }
    Communicator everyone = job.setup().everyone();
    ByteBuffer numbers = ByteBuffer.allocateDirect(WARM_UP_BYTES).order(ByteOrder.nativeOrder());
    for (int sum = 0; sum < warmUpSums; sum++) {
      everyone.allReduce(numbers, ElementType.FLOAT);
    }
  }

  private static long cpuNanoseconds() {
    return ((OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean())
        .getProcessCpuTime();
  }
}
