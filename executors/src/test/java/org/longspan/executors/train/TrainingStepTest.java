package org.longspan.executors.train;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.longspan.executors.configuration.RunConfiguration;
import org.longspan.parallelism.mesh.Mesh;

/** Twenty steps on any mesh give the same losses. */
class TrainingStepTest {
  private static final int STEPS = SmallTraining.STEPS;

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

  private static List<Double> losses(RunConfiguration configuration, Mesh mesh, int threads) {
    return SmallTraining.run(configuration, mesh, threads).losses();
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
