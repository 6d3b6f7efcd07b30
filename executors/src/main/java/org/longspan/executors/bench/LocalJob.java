package org.longspan.executors.bench;

import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.function.Function;
import java.util.stream.IntStream;
import org.longspan.executors.configuration.Options;
import org.longspan.executors.configuration.RunConfiguration;
import org.longspan.executors.kernel.Documents;
import org.longspan.executors.layer.SliceInput;
import org.longspan.executors.model.ModelShape;
import org.longspan.executors.train.RankSetup;
import org.longspan.executors.train.TrainingStep;
import org.longspan.parallelism.mesh.BlockGrid;
import org.longspan.parallelism.mesh.Mesh;
import org.longspan.parallelism.mesh.Slice;
import org.longspan.parallelism.transport.LocalRanks;
import org.longspan.parallelism.transport.NetworkTransport;
import org.longspan.parallelism.transport.Protection;

/**
 * One rank of a training job whose ranks are threads of this process, joined by the network
 * transport as executors are. It trains on made-up tokens: those of a step are the same whatever
 * the number of ranks.
 */
final class LocalJob {
  private static final Duration TIME_LIMIT = Duration.ofMinutes(10);

  private final RankSetup setup;
  private final TrainingStep training;
  private final int tokens;
  private final int ranks;

  private LocalJob(RankSetup setup, RunConfiguration configuration, int tokens, int ranks) {
    this.setup = setup;
    this.training = new TrainingStep(setup, configuration.get(Options.TRAIN_CLIP));
    this.tokens = tokens;
    this.ranks = ranks;
  }

  /**
   * What {@code body} gives on each rank.
   *
   * @param threads of each rank
   * @param tokens of the sequence that the ranks share
   */
  static <T> List<T> run(
      RunConfiguration configuration,
      int ranks,
      int threads,
      int tokens,
      Function<LocalJob, T> body) {
    return LocalRanks.run(
        NetworkTransport.loopback(ranks, TIME_LIMIT, Protection.ENCRYPTED),
        transport -> {
          try (RankSetup setup =
              new RankSetup(
                  configuration,
                  ModelShape.of(configuration, BenchModel.VOCABULARY),
                  new Mesh(1, ranks, 1),
                  transport,
                  threads,
                  tokens,
                  RankSetup.BLOCK)) {
            return body.apply(new LocalJob(setup, configuration, tokens, ranks));
          }
        });
  }

  RankSetup setup() {
    return setup;
  }

  /** A step, after {@code iteration} others; gives its loss. */
  double step(int iteration) {
    SliceInput slice = slice(iteration);
    return training.run(List.of(() -> slice), iteration).loss();
  }

  private SliceInput slice(int iteration) {
    int[] ids = new Random(iteration).ints(tokens, 0, BenchModel.VOCABULARY).toArray();
    int place = setup.rank().sequence();
    BlockGrid grid = new BlockGrid(tokens, RankSetup.BLOCK);
    List<Slice> slices = IntStream.range(0, ranks).mapToObj(p -> grid.slice(p, ranks)).toList();
    int from = Math.toIntExact(slices.get(place).start());
    int to = Math.toIntExact(slices.get(place).end());
    int[] targets = new int[to - from];
    for (int t = from; t < to; t++) {
      targets[t - from] = t + 1 < tokens ? ids[t + 1] : -1;
    }
    return new SliceInput(
        Arrays.copyOfRange(ids, from, to), targets, Documents.one(to - from, from), slices, place);
  }
}
