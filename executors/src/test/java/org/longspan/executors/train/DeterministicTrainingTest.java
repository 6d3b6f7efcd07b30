package org.longspan.executors.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeFalse;

import java.util.HashMap;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.longspan.executors.configuration.RunConfiguration;
import org.longspan.executors.opencl.OpenClDevices;
import org.longspan.parallelism.mesh.Mesh;
import org.nd4j.linalg.factory.Nd4j;

/** What {@code deterministic: true} promises: the same bits whatever the ranks. */
class DeterministicTrainingTest {
  private static RunConfiguration model(String... more) {
    Map<String, String> overrides = new HashMap<>();
    for (int i = 0; i < more.length; i += 2) {
      overrides.put(more[i], more[i + 1]);
    }
    return RunConfiguration.parse(
        "model: {width: 16, heads: 2, layers: 6, feed-forward: 24,"
            + " pattern: [lightning, local, simple-gla, gla, gated-delta, latent], window: 70,"
            + " latent: {rank: 16, rope: 2}, convolution: 4}\ntrain: {steps: 20, learning-rate: 0.01, warmup: 3}\nkernel: cpu\n"
            + "deterministic: true",
        "test.yaml",
        overrides);
  }

  @ParameterizedTest
  @ValueSource(ints = {2, 3, 4, 8})
  void shouldGiveTheSameBitsOnAnyNumberOfSequenceRanks(int ranks) {
    assertThat(SmallTraining.run(model(), new Mesh(1, ranks, 1), 1))
        .isEqualTo(SmallTraining.run(model(), new Mesh(1, 1, 1), 1));
  }

  @Test
  void shouldGiveTheSameBitsOnSeveralThreads() {
    assertThat(SmallTraining.run(model(), new Mesh(1, 2, 1), 3))
        .isEqualTo(SmallTraining.run(model(), new Mesh(1, 1, 1), 1));
  }

  @Test
  void shouldGiveTheSameBitsOnSequenceRanksBesideDataRanks() {
    assertThat(SmallTraining.run(model(), new Mesh(2, 3, 1), 1))
        .isEqualTo(SmallTraining.run(model(), new Mesh(2, 1, 1), 1));
  }

  @Test
  void shouldGiveTheSameBitsWhetherLayersKeepOrRecompute() {
    assertThat(SmallTraining.run(model("train.recompute", "true"), new Mesh(1, 2, 1), 1))
        .isEqualTo(SmallTraining.run(model(), new Mesh(1, 1, 1), 1));
  }

  @Test
  void shouldLeaveEachProductToTheThreadThatCallsIt() {
    Nd4j.factory().blas().setMaxThreads(2);
    assertThat(Nd4j.factory().blas().getMaxThreads()).isEqualTo(2);
    SmallTraining.run(model("train.steps", "1"), new Mesh(1, 1, 1), 1);
    assertThat(Nd4j.factory().blas().getMaxThreads()).isEqualTo(1);
  }

  @Test
  void shouldGiveTheSameBitsOnADevice() {
    assumeFalse(OpenClDevices.all().isEmpty(), "no OpenCL device on this machine");
    assertThat(SmallTraining.run(model("kernel", "aparapi"), new Mesh(1, 3, 1), 1))
        .isEqualTo(SmallTraining.run(model("kernel", "aparapi"), new Mesh(1, 1, 1), 1));
  }

  @Test
  void shouldTrainAsFastTrainingDoes() {
    var fast =
        SmallTraining.run(
            model("deterministic", "false", "precision", "double"), new Mesh(1, 1, 1), 1);
    var exact = SmallTraining.run(model("precision", "double"), new Mesh(1, 2, 1), 1);
    // Later steps differ more: Adam makes steps of one size from gradients of any.
    for (int step = 0; step < 4; step++) {
      assertThat(Math.abs(exact.losses().get(step) - fast.losses().get(step)))
          .as("step %d", step)
          .isLessThan(1e-9);
    }
  }
}
