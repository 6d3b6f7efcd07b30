package org.longspan.executors.bench;

import java.lang.management.ManagementFactory;
import java.time.Duration;
import java.util.List;
import java.util.Random;
import java.util.function.ToDoubleFunction;
import java.util.stream.IntStream;
import org.longspan.executors.kernel.Documents;
import org.longspan.executors.kernel.Workers;
import org.longspan.executors.latent.LatentAttention;
import org.longspan.executors.latent.LatentForm;
import org.longspan.executors.latent.LatentMemory;
import org.longspan.executors.latent.LatentNorm;
import org.longspan.executors.latent.LatentPlace;
import org.longspan.executors.latent.LatentPlan;
import org.longspan.executors.latent.LatentPlan.Sharing;
import org.longspan.executors.latent.LatentShape;
import org.longspan.executors.latent.LatentWeights;
import org.longspan.executors.math.Numerics;
import org.longspan.executors.memory.Arena;
import org.longspan.executors.memory.Matrix;
import org.longspan.executors.memory.Precision;
import org.longspan.executors.train.RankSetup;
import org.longspan.parallelism.collective.Communicator;
import org.longspan.parallelism.mesh.BlockGrid;
import org.longspan.parallelism.mesh.Slice;
import org.longspan.parallelism.transport.LocalRanks;
import org.longspan.parallelism.transport.NetworkTransport;
import org.longspan.parallelism.transport.Protection;
import org.longspan.parallelism.transport.Transport;
import org.nd4j.linalg.factory.Nd4j;

/**
 * How evenly sequence ranks attend in one latent mixer of form mla, over one document: threads of
 * this process, each with one thread of its own for the attention, joined by the network transport.
 */
public final class LatentBench {
  private static final Duration TIME_LIMIT = Duration.ofMinutes(10);
  private static final int WARM_UPS = 2;
  private static final int PASSES = 5;
  private static final LatentShape SHAPE =
      new LatentShape(
          256, 4, 0, 128, 64, 32, 64, LatentForm.MLA, LatentNorm.EXACT, 1, 10_000, 1e-6);

  /**
   * What one rank does in a pass.
   *
   * @param forwardSeconds processor time of attention's forward, the median of the passes: what is
   *     waited for others is not in it
   * @param backwardSeconds likewise
   * @param pairs of a query and a key that it multiplies in the forward, for each head
   */
  public record Rank(double forwardSeconds, double backwardSeconds, long pairs) {
    /** Forward and backward. */
    public double seconds() {
      return forwardSeconds + backwardSeconds;
    }
  }

  /** What the ranks do, in order of their slices. */
  public record Result(Sharing sharing, int tokens, List<Rank> ranks) {
    /** The slowest rank's processor time over the mean. */
    public double slowest() {
      return greatestOverMean(Rank::seconds);
    }

    /** The greatest number of pairs over the mean. */
    public double mostPairs() {
      return greatestOverMean(rank -> (double) rank.pairs());
    }

    private double greatestOverMean(ToDoubleFunction<Rank> quantity) {
      double greatest = ranks.stream().mapToDouble(quantity).max().orElseThrow();
      return greatest / ranks.stream().mapToDouble(quantity).average().orElseThrow();
    }
  }

  private LatentBench() {}

  /** Passes over {@code tokens} tokens, forward and backward. */
  public static Result run(int ranks, int tokens, Sharing sharing) {
    Nd4j.factory().blas().setMaxThreads(1);
    return new Result(
        sharing,
        tokens,
        LocalRanks.run(
            NetworkTransport.loopback(ranks, TIME_LIMIT, Protection.ENCRYPTED),
            transport -> rank(transport, tokens, sharing)));
  }

  private static Rank rank(Transport transport, int tokens, Sharing sharing) {
    int ranks = transport.size();
    BlockGrid grid = new BlockGrid(tokens, RankSetup.BLOCK);
    List<Slice> slices = IntStream.range(0, ranks).mapToObj(p -> grid.slice(p, ranks)).toList();
    Slice slice = slices.get(transport.rank());
    int length = Math.toIntExact(slice.length());
    try (Communicator sequence =
            Communicator.over(transport, IntStream.range(0, ranks).boxed().toList(), 1);
        Communicator alone = Communicator.over(transport, List.of(transport.rank()), 2);
        Workers workers = new Workers(1);
        Arena arena = new Arena("of rank " + transport.rank(), Precision.FLOAT)) {
      LatentAttention attention =
          new LatentAttention(
              SHAPE,
              new LatentPlace(
                  sequence,
                  alone,
                  Numerics.of(Precision.FLOAT),
                  workers,
                  LatentMemory.of(arena),
                  length,
                  RankSetup.BLOCK));
      Documents documents = Documents.one(length, slice.start());
      LatentPlan plan = LatentPlan.gathered(sequence, slices, documents, sharing);
      attention.accept(plan);
      Random random = new Random(1);
      LatentWeights weights = LatentWeights.whole(SHAPE, arena);
      weights.named().forEach((name, values) -> fill(random, values));
      LatentWeights gradients = LatentWeights.whole(SHAPE, arena);
      Matrix x = arena.matrix(length, SHAPE.width());
      fill(random, x);
      double[] forward = new double[PASSES];
      double[] backward = new double[PASSES];
      for (int pass = -WARM_UPS; pass < PASSES; pass++) {
        attention.project(0, x, weights);
        double attended = processorSeconds(() -> attention.attend(weights));
        attention.joinGradient(0, x, weights, gradients);
        double returned =
            processorSeconds(() -> attention.attendGradient(weights, () -> gradients));
        if (pass >= 0) {
          forward[pass] = attended;
          backward[pass] = returned;
        }
      }
      return new Rank(Medians.of(forward), Medians.of(backward), plan.pairs(transport.rank()));
    }
  }

  private static void fill(Random random, Matrix values) {
    double deviation = 1 / Math.sqrt((double) values.rows());
    for (long row = 0; row < values.rows(); row++) {
      for (int column = 0; column < values.columns(); column++) {
        values.put(row, column, deviation * random.nextGaussian());
      }
    }
  }

  /** Of the calling thread. */
  private static double processorSeconds(Runnable work) {
    long before = ManagementFactory.getThreadMXBean().getCurrentThreadCpuTime();
    work.run();
    return (ManagementFactory.getThreadMXBean().getCurrentThreadCpuTime() - before) / 1e9;
  }
}
