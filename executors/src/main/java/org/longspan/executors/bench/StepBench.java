package org.longspan.executors.bench;

import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.longspan.executors.configuration.RunConfiguration;
import org.longspan.executors.kernel.Documents;
import org.longspan.executors.layer.SliceInput;
import org.longspan.executors.model.ModelShape;
import org.longspan.executors.train.RankSetup;
import org.longspan.executors.train.TrainingStep;
import org.longspan.parallelism.mesh.Mesh;
import org.longspan.parallelism.mesh.Slice;
import org.longspan.parallelism.transport.InProcessTransport;
import org.longspan.parallelism.transport.Transport;

/**
 * A whole training step on one rank (forward, backward, clipping, AdamW), and the step's matrix
 * products alone in the same run: what they take is the floor of the step.
 *
 * <p>The model: width 256, 4 lightning layers of 4 heads, feed-forward 704, vocabulary 256, one
 * document of random tokens.
 */
public final class StepBench {
  private static final int VOCABULARY = 256;

  private final int tokens;
  private final int steps;
  private final int threads;

  /**
   * @param tokens in the sequence
   * @param steps measured, after one that is not
   */
  public StepBench(int tokens, int steps, int threads) {
    this.tokens = tokens;
    this.steps = steps;
    this.threads = threads;
  }

  /**
   * What was measured.
   *
   * @param stepSeconds of the median step
   * @param productSeconds of the step's products alone, the median of as many runs
   * @param productGflops their rate, in 10⁹ operations a second
   * @param peakMemoryMebibytes greatest resident size of this process so far
   * @param kernel what computed the attention
   */
  public record Result(
      int tokens,
      int threads,
      double stepSeconds,
      double productSeconds,
      double productGflops,
      long peakMemoryMebibytes,
      String kernel) {

    public double tokensPerSecond() {
      return tokens / stepSeconds;
    }

    /** How many times as long as its products the step takes. */
    public double overFloor() {
      return stepSeconds / productSeconds;
    }
  }

  private static RunConfiguration configuration() {
    return RunConfiguration.parse(
        "model: {width: 256, layers: 4, heads: 4, feed-forward: 704, pattern: [lightning]}",
        "the bench's model",
        Map.of());
  }

  /** Measures. */
  public Result run() {
    RunConfiguration configuration = configuration();
    ModelShape shape = ModelShape.of(configuration, VOCABULARY);
    List<Transport> alone = InProcessTransport.connect(1, Duration.ofMinutes(1));
    try (Transport transport = alone.get(0);
        RankSetup setup =
            new RankSetup(
                configuration,
                shape,
                new Mesh(1, 1, 1),
                transport,
                threads,
                tokens,
                RankSetup.BLOCK)) {
      SliceInput input = input();
      TrainingStep step = new TrainingStep(setup.model(), setup.environment(), setup.everyone(), 1);
      double[] seconds = new double[steps];
      double[] productSeconds = new double[steps];
      try (StepProducts products = new StepProducts(setup.environment(), shape)) {
        step.run(List.of(() -> input), 0);
        products.run(tokens);
        for (int i = 0; i < steps; i++) {
          int iteration = i + 1;
          seconds[i] = time(() -> step.run(List.of(() -> input), iteration));
          productSeconds[i] = time(() -> products.run(tokens));
        }
        return new Result(
            tokens,
            threads,
            median(seconds),
            median(productSeconds),
            products.operations(tokens) / median(productSeconds) / 1e9,
            PeakMemory.mebibytes(),
            setup.model().description());
      }
    }
  }

  private SliceInput input() {
    Random random = new Random(1);
    int[] ids = random.ints(tokens, 0, VOCABULARY).toArray();
    int[] targets = Arrays.copyOf(Arrays.copyOfRange(ids, 1, tokens + 1), tokens);
    targets[tokens - 1] = -1;
    return new SliceInput(ids, targets, Documents.one(tokens, 0), List.of(new Slice(0, tokens)), 0);
  }

  private static double time(Runnable work) {
    long before = System.nanoTime();
    work.run();
    return (System.nanoTime() - before) / 1e9;
  }

  private static double median(double[] values) {
    double[] sorted = values.clone();
    Arrays.sort(sorted);
    return sorted[sorted.length / 2];
  }
}
