package org.longspan.executors.train;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.function.Supplier;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.longspan.executors.configuration.Options;
import org.longspan.executors.configuration.RunConfiguration;
import org.longspan.executors.layer.SliceInput;
import org.longspan.executors.model.ModelShape;
import org.longspan.parallelism.mesh.BlockGrid;
import org.longspan.parallelism.mesh.Mesh;
import org.longspan.parallelism.mesh.Slice;
import org.longspan.parallelism.transport.InProcessTransport;
import org.longspan.parallelism.transport.LocalRanks;

/** Twenty steps on any mesh give the same losses. */
class TrainingStepTest {
  private static final int VOCABULARY = 19;
  private static final int TOKENS = 150;
  private static final int BLOCK = 32;
  private static final int STEPS = 20;
  private static final int SEQUENCES = 4;

  private static RunConfiguration model(String precision, String... more) {
    Map<String, String> overrides = new java.util.HashMap<>(Map.of("precision", precision));
    for (int i = 0; i < more.length; i += 2) {
      overrides.put(more[i], more[i + 1]);
    }
    return RunConfiguration.parse(
        "model: {width: 16, heads: 2, layers: 2, feed-forward: 24, pattern: [lightning, local], window: 40,"
            + " convolution: 3}\ntrain: {steps: 20, learning-rate: 0.01, warmup: 3}\nkernel: cpu",
        "test.yaml",
        overrides);
  }

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

  private static SliceInput slice(int number, int place, int places) {
    int[] tokens = sequence(number);
    BlockGrid grid = new BlockGrid(tokens.length, BLOCK);
    List<Slice> slices = IntStream.range(0, places).mapToObj(p -> grid.slice(p, places)).toList();
    int from = (int) slices.get(place).start();
    int to = (int) slices.get(place).end();
    int more = Math.min(to + 1, tokens.length);
    int[] read = from == to ? new int[0] : java.util.Arrays.copyOfRange(tokens, from, more);
    int[] starts = from == 0 && to > 0 ? new int[] {0} : new int[0];
    return SliceReader.input(read, starts, from == to ? 0 : from, to - from, slices, place);
  }

  /** The losses of every step, as rank 0 saw them; every rank must have seen the same. */
  private static List<Double> losses(RunConfiguration configuration, Mesh mesh, int threads) {
    List<List<Double>> ofRanks =
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
                TrainingStep step =
                    new TrainingStep(
                        setup.model(),
                        setup.environment(),
                        setup.everyone(),
                        configuration.get(Options.TRAIN_CLIP));
                List<Double> losses = new ArrayList<>();
                for (int iteration = 0; iteration < STEPS; iteration++) {
                  List<Supplier<SliceInput>> own = new ArrayList<>();
                  for (int i = setup.rank().data(); i < 2; i += mesh.data()) {
                    int number = (2 * iteration + i) % SEQUENCES;
                    own.add(() -> slice(number, setup.rank().sequence(), mesh.sequence()));
                  }
                  losses.add(step.run(own, iteration).loss());
                }
                return losses;
              }
            });
    assertThat(ofRanks).allSatisfy(losses -> assertThat(losses).isEqualTo(ofRanks.get(0)));
    return ofRanks.get(0);
  }

  private static void compare(String precision, Mesh mesh, int threads, double limit) {
    List<Double> one = losses(model(precision), new Mesh(1, 1, 1), 1);
    List<Double> many = losses(model(precision), mesh, threads);
    for (int i = 0; i < STEPS; i++) {
      assertThat(Math.abs(many.get(i) - one.get(i)) / one.get(i))
          .as("loss of step %s: %s and %s", i, many.get(i), one.get(i))
          .isLessThan(limit);
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {2, 4})
  void shouldGiveTheSameLossesOnAnyNumberOfSequenceRanks(int ranks) {
    compare("double", new Mesh(1, ranks, 1), 1, 1e-12);
    compare("float", new Mesh(1, ranks, 1), 1, 1e-5);
  }

  @Test
  void shouldGiveTheSameLossesOnDataRanks() {
    compare("double", new Mesh(2, 1, 1), 1, 1e-12);
    compare("double", new Mesh(2, 2, 1), 1, 1e-12);
  }

  @Test
  void shouldGiveTheSameLossesOnSeveralThreads() {
    compare("double", new Mesh(1, 1, 1), 3, 1e-12);
  }

  @Test
  void shouldLearn() {
    List<Double> losses = losses(model("float"), new Mesh(1, 2, 1), 1);
    assertThat(losses.get(STEPS - 1)).isLessThan(losses.get(0) - 0.3);
  }

  @Test
  void shouldDecayWeights() {
    List<Double> without = losses(model("double", "train.weight-decay", "0"), new Mesh(1, 1, 1), 1);
    List<Double> with = losses(model("double", "train.weight-decay", "1"), new Mesh(1, 1, 1), 1);
    assertThat(with.get(STEPS - 1)).isNotEqualTo(without.get(STEPS - 1));
  }
}
