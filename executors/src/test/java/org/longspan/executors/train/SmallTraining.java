package org.longspan.executors.train;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.function.Supplier;
import java.util.stream.IntStream;
import org.longspan.executors.configuration.Options;
import org.longspan.executors.configuration.RunConfiguration;
import org.longspan.executors.layer.SliceInput;
import org.longspan.executors.model.ModelShape;
import org.longspan.parallelism.mesh.BlockGrid;
import org.longspan.parallelism.mesh.Mesh;
import org.longspan.parallelism.mesh.Slice;
import org.longspan.parallelism.transport.InProcessTransport;
import org.longspan.parallelism.transport.LocalRanks;

/** Trains a small model on made-up sequences, on ranks of this JVM. */
final class SmallTraining {
  private static final int SEQUENCES = 4;
  private static final int VOCABULARY = 19;
  static final int TOKENS = 150;
  static final int BLOCK = 16;
  static final int STEPS = 20;

  /** Where documents start in every other sequence: inside of blocks, one of a single token. */
  private static final int[] DOCUMENTS = {0, 37, 38, 70, 111};

  /** The losses of the steps, and the parameters after them. */
  record Outcome(List<Double> losses, Map<String, List<Double>> parameters) {}

  private SmallTraining() {}

  /** Sequences that follow a rule, so that there is something to learn. */
  private static int[] sequence(int number) {
    Random random = new Random(number);
    // Of different lengths: a mean over sequences or ranks is then another one than that over
    // tokens.
    int[] tokens = new int[TOKENS - 35 * number];
    for (int t = 0; t < tokens.length; t++) {
      tokens[t] =
          t < 3 || random.nextInt(8) == 0
              ? random.nextInt(VOCABULARY)
              : (tokens[t - 3] + 1) % VOCABULARY;
    }
    return tokens;
  }

  static SliceInput slice(int number, int place, int places) {
    int[] tokens = sequence(number);
    BlockGrid grid = new BlockGrid(tokens.length, BLOCK);
    List<Slice> slices = IntStream.range(0, places).mapToObj(p -> grid.slice(p, places)).toList();
    int from = (int) slices.get(place).start();
    int to = (int) slices.get(place).end();
    int more = Math.min(to + 1, tokens.length);
    int[] read = from == to ? new int[0] : Arrays.copyOfRange(tokens, from, more);
    int[] documents = number % 2 == 0 ? new int[] {0} : DOCUMENTS;
    int[] starts =
        Arrays.stream(documents)
            .filter(start -> from < to && start >= from && start < more)
            .map(start -> start - from)
            .toArray();
    int first = Arrays.stream(documents).filter(start -> start <= from).max().orElseThrow();
    return SliceReader.input(read, starts, from == to ? 0 : from - first, to - from, slices, place);
  }

  /** What a rank does on its way: {@code steps} steps are done. */
  interface Stop {
    void at(RankSetup setup, int steps) throws IOException;
  }

  /**
   * As rank 0 saw it; every rank with the same share of the model must have seen the same, and all
   * the same losses.
   */
  static Outcome run(RunConfiguration configuration, Mesh mesh, int threads) {
    return run(configuration, mesh, threads, 0, (setup, steps) -> {});
  }

  /**
   * Likewise.
   *
   * @param first steps that are left out
   */
  static Outcome run(RunConfiguration configuration, Mesh mesh, int threads, int first, Stop stop) {
    List<Outcome> ofRanks =
        LocalRanks.run(
            InProcessTransport.connect(mesh.size(), Duration.ofSeconds(60)),
            transport -> {
              try (RankSetup setup =
                  new RankSetup(
                      configuration,
                      ModelShape.of(configuration, VOCABULARY),
                      mesh,
                      transport,
                      threads,
                      TOKENS,
                      BLOCK)) {
                TrainingStep step = new TrainingStep(setup, configuration.get(Options.TRAIN_CLIP));
                List<Double> losses = new ArrayList<>();
                for (int iteration = first; iteration < STEPS; iteration++) {
                  stop.at(setup, iteration);
                  List<Supplier<SliceInput>> own = new ArrayList<>();
                  for (int i = setup.rank().data(); i < 2; i += mesh.data()) {
                    int number = (2 * iteration + i) % SEQUENCES;
                    own.add(() -> slice(number, setup.rank().sequence(), mesh.sequence()));
                  }
                  losses.add(step.run(own, iteration).loss());
                }
                return new Outcome(losses, parameters(setup));
              } catch (IOException e) {
                throw new UncheckedIOException(e);
              }
            });
    Map<String, List<Double>> parameters = new LinkedHashMap<>();
    for (int rank = 0; rank < mesh.size(); rank++) {
      int tensor = mesh.rank(rank).tensor();
      assertThat(ofRanks.get(rank)).as("rank %s", rank).isEqualTo(ofRanks.get(tensor));
      assertThat(ofRanks.get(rank).losses()).isEqualTo(ofRanks.get(0).losses());
      String suffix = tensor == 0 ? "" : " of tensor rank " + tensor;
      ofRanks.get(rank).parameters().forEach((name, all) -> parameters.put(name + suffix, all));
    }
    return new Outcome(ofRanks.get(0).losses(), parameters);
  }

  private static Map<String, List<Double>> parameters(RankSetup setup) {
    Map<String, List<Double>> parameters = new LinkedHashMap<>();
    setup
        .model()
        .parameters()
        .forEach(
            (name, values) -> {
              List<Double> numbers = new ArrayList<>();
              for (long row = 0; row < values.rows(); row++) {
                for (int column = 0; column < values.columns(); column++) {
                  numbers.add(values.get(row, column));
                }
              }
              parameters.put(name, numbers);
            });
    return parameters;
  }
}
