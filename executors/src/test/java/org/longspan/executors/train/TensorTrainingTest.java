package org.longspan.executors.train;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.apache.hadoop.conf.Configuration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.longspan.datapipeline.dataset.Manifest;
import org.longspan.datapipeline.dataset.SkippedInput;
import org.longspan.datapipeline.dataset.SplitSummary;
import org.longspan.executors.checkpoint.Checkpoint;
import org.longspan.executors.checkpoint.Checkpoints;
import org.longspan.executors.configuration.RunConfiguration;
import org.longspan.parallelism.mesh.Mesh;

/** Training with ranks that share the model. */
class TensorTrainingTest {
  private static final Mesh ALONE = new Mesh(1, 1, 1);
  private static final int WRITTEN_AFTER = 8;

  @TempDir private Path run;

  private static RunConfiguration model(String... more) {
    Map<String, String> overrides = new TreeMap<>();
    overrides.put("precision", "double");
    for (int i = 0; i < more.length; i += 2) {
      overrides.put(more[i], more[i + 1]);
    }
    return RunConfiguration.parse(
        "model: {width: 16, heads: 4, layers: 5, feed-forward: 23,"
            + " pattern: [lightning, local, simple-gla, gla, gated-delta], window: 70,"
            + " convolution: 4}\ntrain: {steps: 20, learning-rate: 0.01, warmup: 3}\nkernel: cpu",
        "test.yaml",
        overrides);
  }

  /** Adam makes steps of one size from gradients of any: rounding grows from step to step. */
  private static void assertClose(List<Double> losses, List<Double> expected) {
    assertThat(losses).hasSameSizeAs(expected);
    for (int i = 0; i < losses.size(); i++) {
      assertThat(Math.abs(losses.get(i) - expected.get(i)) / expected.get(i))
          .as("loss %s: %s and %s", i, losses.get(i), expected.get(i))
          .isLessThan(1e-9);
    }
  }

  @ParameterizedTest
  @CsvSource({"1, 1, 2, 1", "1, 2, 2, 1", "2, 2, 2, 3"})
  void shouldGiveTheLossesOfOneRankOnAnyMesh(int data, int sequence, int tensor, int threads) {
    RunConfiguration two =
        model("model.pattern", "[lightning, local]", "model.layers", "2", "model.heads", "2");
    assertClose(
        SmallTraining.run(two, new Mesh(data, sequence, tensor), threads).losses(),
        SmallTraining.run(two, ALONE, 1).losses());
  }

  /** For one number of tensor ranks; another one adds up in another order. */
  @ParameterizedTest
  @CsvSource({"2, 4, 1", "3, 2, 3"})
  void shouldGiveTheSameBitsOnAnyNumberOfSequenceRanks(int sequence, int tensor, int threads) {
    RunConfiguration exact = model("deterministic", "true", "precision", "float");
    assertThat(SmallTraining.run(exact, new Mesh(1, sequence, tensor), threads))
        .isEqualTo(SmallTraining.run(exact, new Mesh(1, 1, tensor), 1));
  }

  /** A ring of three adds up in an order that depends on where in its slice a token lies. */
  @Test
  void shouldGiveTheSameBitsOnAnyNumberOfSequenceRanksWhereThreeAddUp() {
    RunConfiguration exact =
        model(
            "deterministic", "true", "precision", "float", "model.heads", "6", "model.width", "24");
    assertThat(SmallTraining.run(exact, new Mesh(1, 2, 3), 1))
        .isEqualTo(SmallTraining.run(exact, new Mesh(1, 1, 3), 1));
  }

  @Test
  void shouldGiveTheSameBitsWhetherLayersKeepOrRecompute() {
    assertThat(SmallTraining.run(model("train.recompute", "true"), new Mesh(1, 2, 2), 1))
        .isEqualTo(SmallTraining.run(model(), new Mesh(1, 2, 2), 1));
  }

  private Checkpoints checkpoints() throws IOException {
    return Checkpoints.of(new Configuration(), run.toString());
  }

  private void write(RankSetup setup) throws IOException {
    SplitSummary split = new SplitSummary(1, 1, 1, 1, List.of());
    Manifest data = new Manifest(1, "bytes", 19, 1, 1, split, null, new SkippedInput(0, 0, 0), "0");
    if (setup.rank().data() == 0 && setup.rank().sequence() == 0) {
      checkpoints().write(setup.model(), model(), data, WRITTEN_AFTER, 0);
    }
  }

  private void read(RankSetup setup) throws IOException {
    Checkpoint checkpoint = checkpoints().at(WRITTEN_AFTER);
    checkpoint.readParameters(setup.model());
    checkpoint.readOptimizer(setup.model());
  }

  @Test
  void shouldResumeOnAnotherMesh() {
    List<Double> losses =
        SmallTraining.run(
                model(),
                new Mesh(1, 2, 2),
                1,
                0,
                (setup, steps) -> {
                  if (steps == WRITTEN_AFTER) {
                    write(setup);
                  }
                })
            .losses();
    List<Double> rest = losses.subList(WRITTEN_AFTER, losses.size());
    for (Mesh mesh : List.of(ALONE, new Mesh(1, 2, 4))) {
      assertClose(
          SmallTraining.run(
                  model(),
                  mesh,
                  1,
                  WRITTEN_AFTER,
                  (setup, steps) -> {
                    if (steps == WRITTEN_AFTER) {
                      read(setup);
                    }
                  })
              .losses(),
          rest);
    }
  }
}
