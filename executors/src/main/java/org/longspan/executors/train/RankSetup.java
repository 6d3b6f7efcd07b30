package org.longspan.executors.train;

import java.util.Arrays;
import java.util.Locale;
import java.util.stream.IntStream;
import org.longspan.datapipeline.InvalidInputException;
import org.longspan.executors.configuration.Options;
import org.longspan.executors.configuration.RunConfiguration;
import org.longspan.executors.kernel.Workers;
import org.longspan.executors.layer.RankEnvironment;
import org.longspan.executors.layer.RankMode;
import org.longspan.executors.layer.RankMode.Exchange;
import org.longspan.executors.layer.RankMode.LayerMemory;
import org.longspan.executors.layer.RankMode.Reproducibility;
import org.longspan.executors.math.Numerics;
import org.longspan.executors.model.LanguageModel;
import org.longspan.executors.model.ModelShape;
import org.longspan.parallelism.collective.Communicator;
import org.longspan.parallelism.collective.ScanCosts;
import org.longspan.parallelism.mesh.BlockGrid;
import org.longspan.parallelism.mesh.Mesh;
import org.longspan.parallelism.mesh.Rank;
import org.longspan.parallelism.transport.Transport;
import org.nd4j.linalg.factory.Nd4j;

/**
 * What a rank builds before it works: its threads, its groups of ranks, its memory, its model.
 *
 * <p>Threading: built, used and closed by the rank's own thread.
 */
public final class RankSetup implements AutoCloseable {
  /** Tokens in a block of the grid on which sequences are cut, and in a tile of the products. */
  public static final int BLOCK = 512;

  private static final int EVERYONE = 1;
  private static final int SEQUENCE = 2;
  private static final int DATA = 3;
  private static final int TENSOR = 4;
  private static final int SAME_SHARE = 5;

  private final Rank rank;
  private final Workers workers;
  private final Communicator everyone;
  private final Communicator sequence;
  private final Communicator replicas;
  private final Communicator tensor;
  private final Communicator sameShare;
  private final ScanCosts costs;
  private final String recomputation;
  private final RankEnvironment environment;
  private final LanguageModel model;

  /**
   * @param sequenceLength tokens in the longest sequence
   * @param block tokens in a block of the grid
   */
  public RankSetup(
      RunConfiguration configuration,
      ModelShape shape,
      Mesh mesh,
      Transport transport,
      int threads,
      int sequenceLength,
      int block) {
    shape.requireSplit(mesh.tensor());
    this.rank = mesh.rank(transport.rank());
    this.everyone =
        Communicator.over(transport, IntStream.range(0, mesh.size()).boxed().toList(), EVERYONE);
    this.sequence = Communicator.over(transport, mesh.sequenceGroup(rank), SEQUENCE);
    this.replicas = Communicator.over(transport, mesh.dataGroup(rank), DATA);
    this.tensor = Communicator.over(transport, mesh.tensorGroup(rank), TENSOR);
    this.sameShare =
        mesh.tensor() == 1
            ? everyone
            : Communicator.over(transport, mesh.sameShareGroup(rank), SAME_SHARE);
    this.workers = new Workers(least(threads, tensor));
    this.costs = ScanCosts.measure(sequence);
    this.environment =
        new RankEnvironment(
            Numerics.of(configuration.get(Options.PRECISION)),
            workers,
            sequence,
            tensor,
            mode(configuration, costs),
            capacity(sequenceLength, mesh.sequence(), block),
            block);
    // The calling thread does a whole product: the rank's threads share tiles, and a product that
    // threads of the BLAS share among themselves rounds otherwise.
    Nd4j.factory().blas().setMaxThreads(1);
    try {
      this.model = new LanguageModel(configuration, shape, environment);
      this.recomputation = recomputation(configuration, shape, sequenceLength, threads);
    } catch (OutOfMemoryError tooLittle) {
      closeAllButTheModel();
      // Another attempt would have no more.
      throw new InvalidInputException(
          "Rank "
              + rank.number()
              + " has too little memory beside the heap: "
              + tooLittle.getMessage()
              + "; give its executor more, take more ranks, or set train.recompute.",
          tooLittle);
    } catch (RuntimeException | Error e) {
      closeAllButTheModel();
      throw e;
    }
  }

  /** What recomputing saves of the layers' memory; empty where they keep all. */
  private String recomputation(
      RunConfiguration configuration, ModelShape shape, int sequenceLength, int threads) {
    if (!configuration.get(Options.TRAIN_RECOMPUTE)) {
      return "";
    }
    RunConfiguration keeping = configuration.with(Options.TRAIN_RECOMPUTE, false);
    return String.format(
        Locale.ROOT,
        "; recomputes: layers hold %,d MiB instead of %,d",
        environment.arena().bytes() >> 20,
        RankMemory.of(keeping, shape, sequenceLength, threads).layers() >> 20);
  }

  /** Tensor ranks wait for each other all the time, so they take the threads that each has. */
  private static int least(int threads, Communicator tensor) {
    double[] all = new double[tensor.size()];
    all[tensor.index()] = threads;
    tensor.allReduce(all);
    return (int) Arrays.stream(all).min().orElseThrow();
  }

  /** Tokens in the longest slice of a sequence that is cut over {@code ranks} on a grid. */
  static int capacity(int sequenceLength, int ranks, int block) {
    long blocks = new BlockGrid(sequenceLength, block).blocks();
    long most = (blocks + ranks - 1) / ranks * block;
    return Math.toIntExact(Math.max(1, Math.min(most, sequenceLength)));
  }

  static RankMode mode(RunConfiguration configuration, ScanCosts costs) {
    return new RankMode(
        configuration.get(Options.KERNEL),
        configuration.get(Options.DETERMINISTIC) ? Reproducibility.BITWISE : Reproducibility.FAST,
        configuration.get(Options.TRAIN_RECOMPUTE) ? LayerMemory.RECOMPUTE : LayerMemory.KEEP,
        configuration.get(Options.EXCHANGE_CUT) ? Exchange.CUT : Exchange.WHOLE,
        configuration.get(Options.SCAN_KIND),
        configuration.get(Options.SCAN_BLOCKS),
        costs);
  }

  public Rank rank() {
    return rank;
  }

  /** All ranks of the mesh. */
  public Communicator everyone() {
    return everyone;
  }

  /** The ranks that hold the same part of other sequences. */
  public Communicator replicas() {
    return replicas;
  }

  /** The ranks that have the same share of the model: they sum their gradients. */
  public Communicator sameShare() {
    return sameShare;
  }

  /** What computes the attention, what layers hold, how states travel, and over what links. */
  public String description() {
    String description = model.description() + recomputation;
    if (environment.sequence().size() == 1) {
      return description;
    }
    return String.format(
        Locale.ROOT,
        "%s; links of %.0f µs and %.2f GB/s",
        description,
        costs.link().latencySeconds() * 1e6,
        costs.link().bytesPerSecond() / 1e9);
  }

  public RankEnvironment environment() {
    return environment;
  }

  public LanguageModel model() {
    return model;
  }

  @Override
  public void close() {
    model.close();
    closeAllButTheModel();
  }

  private void closeAllButTheModel() {
    everyone.close();
    sequence.close();
    replicas.close();
    tensor.close();
    sameShare.close();
    workers.close();
    environment.close();
  }
}
