package org.longspan.executors.bench;

import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.function.BiFunction;
import java.util.function.IntConsumer;
import org.longspan.executors.configuration.RunConfiguration;
import org.longspan.executors.kernel.Documents;
import org.longspan.executors.layer.RankMode.LayerMemory;
import org.longspan.executors.layer.SliceInput;
import org.longspan.executors.model.ModelShape;
import org.longspan.executors.train.RankMemory;
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
 * <p>The model: width 256, 4 lightning layers of 4 heads, feed-forward 704, vocabulary 258, one
 * document of random tokens.
 */
public final class StepBench {

  private final int tokens;
  private final int steps;
  private final int threads;
  private final LayerMemory memory;

  /**
   * @param tokens in the sequence
   * @param steps measured, after two that are not
   */
  public StepBench(int tokens, int steps, int threads) {
    this(tokens, steps, threads, LayerMemory.KEEP);
  }

  StepBench(int tokens, int steps, int threads, LayerMemory memory) {
    this.tokens = tokens;
    this.steps = steps;
    this.threads = threads;
    this.memory = memory;
  }

  /**
   * What was measured.
   *
   * @param stepSeconds of the median step
   * @param productSeconds of the step's products alone, the median of as many runs
   * @param productGflops their rate, in 10⁹ operations a second
   * @param peakMemoryMebibytes greatest resident size of this process after two steps
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

  /** Measures. */
  public Result run() {
    return withRank(
        (setup, step) -> {
          step.accept(0);
          step.accept(1);
          // Before there is anything in memory that only the measuring needs.
          long peak = PeakMemory.mebibytes();
          double[] seconds = new double[steps];
          double[] productSeconds = new double[steps];
          try (StepProducts products =
              new StepProducts(setup.environment(), setup.model().shape())) {
            products.run(tokens);
            for (int i = 0; i < steps; i++) {
              int iteration = i + 2;
              seconds[i] = time(() -> step.accept(iteration));
              productSeconds[i] = time(() -> products.run(tokens));
            }
            return new Result(
                tokens,
                threads,
                Medians.of(seconds),
                Medians.of(productSeconds),
                products.operations(tokens) / Medians.of(productSeconds) / 1e9,
                peak,
                setup.model().description());
          }
        });
  }

  /**
   * Two steps.
   *
   * @param peakMebibytes the greatest resident size of this process after them
   * @param countedMebibytes what a plan counts for such a rank beside the heap
   * @param tokensPerSecond of the second
   */
  record Brief(long peakMebibytes, long countedMebibytes, double tokensPerSecond) {}

  Brief runBriefly() {
    return withRank(
        (setup, step) -> {
          step.accept(0);
          double seconds = time(() -> step.accept(1));
          return new Brief(PeakMemory.mebibytes(), counted() >> 20, tokens / seconds);
        });
  }

  private long counted() {
    RunConfiguration configuration = configuration();
    return RankMemory.of(
            configuration, ModelShape.of(configuration, BenchModel.VOCABULARY), tokens, threads)
        .bytes();
  }

  private RunConfiguration configuration() {
    return BenchModel.lightning(
        Map.of("train.recompute", Boolean.toString(memory == LayerMemory.RECOMPUTE)));
  }

  private <T> T withRank(BiFunction<RankSetup, IntConsumer, T> body) {
    RunConfiguration configuration = configuration();
    List<Transport> alone = InProcessTransport.connect(1, Duration.ofMinutes(1));
    try (Transport transport = alone.get(0);
        RankSetup setup =
            new RankSetup(
                configuration,
                ModelShape.of(configuration, BenchModel.VOCABULARY),
                new Mesh(1, 1, 1),
                transport,
                threads,
                tokens,
                RankSetup.BLOCK)) {
      SliceInput input = input();
      TrainingStep step = new TrainingStep(setup, 1);
      return body.apply(setup, iteration -> step.run(List.of(() -> input), iteration));
    }
  }

  private SliceInput input() {
    Random random = new Random(1);
    int[] ids = random.ints(tokens, 0, BenchModel.VOCABULARY).toArray();
    int[] targets = Arrays.copyOf(Arrays.copyOfRange(ids, 1, tokens + 1), tokens);
    targets[tokens - 1] = -1;
    return new SliceInput(ids, targets, Documents.one(tokens, 0), List.of(new Slice(0, tokens)), 0);
  }

  private static double time(Runnable work) {
    long before = System.nanoTime();
    work.run();
    return (System.nanoTime() - before) / 1e9;
  }
}
