package org.longspan.executors.train;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.apache.hadoop.conf.Configuration;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.longspan.datapipeline.dataset.Manifest;
import org.longspan.datapipeline.dataset.SkippedInput;
import org.longspan.datapipeline.dataset.SplitSummary;
import org.longspan.executors.checkpoint.Checkpoint;
import org.longspan.executors.checkpoint.Checkpoints;
import org.longspan.executors.configuration.RunConfiguration;
import org.longspan.parallelism.mesh.Mesh;

/** Training of a model with latent mixers, and its checkpoints. */
class LatentTrainingTest {
  private static final int WRITTEN_AFTER = 8;

  @TempDir private Path run;

  private static RunConfiguration model(String latent) {
    return RunConfiguration.parse(
        "model: {width: 16, heads: 4, layers: 2, feed-forward: 23, pattern: [lightning, latent], latent: "
            + latent
            + "}\ntrain: {steps: 20, learning-rate: 0.01, warmup: 3}\nkernel: cpu\nprecision: double",
        "test.yaml",
        Map.of());
  }

  private Checkpoints checkpoints() throws IOException {
    return Checkpoints.of(new Configuration(), run.toString());
  }

  private void write(RankSetup setup, RunConfiguration model) throws IOException {
    SplitSummary split = new SplitSummary(1, 1, 1, 1, List.of());
    Manifest data = new Manifest(1, "bytes", 19, 1, 1, split, null, new SkippedInput(0, 0, 0), "0");
    if (setup.rank().data() == 0 && setup.rank().sequence() == 0) {
      checkpoints().write(setup.model(), model, data, WRITTEN_AFTER, 0);
    }
  }

  private void read(RankSetup setup) throws IOException {
    Checkpoint checkpoint = checkpoints().at(WRITTEN_AFTER);
    checkpoint.readParameters(setup.model());
    checkpoint.readOptimizer(setup.model());
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "{rank: 16, rope: 2, query-rank: 6}",
        "{rank: 16, rope: 2, form: tpla, groups: 4, norm: local}"
      })
  void shouldLearnAndResumeOnAnotherMesh(String latent) {
    RunConfiguration model = model(latent);
    List<Double> losses =
        SmallTraining.run(
                model,
                new Mesh(1, 2, 2),
                1,
                0,
                (setup, steps) -> {
                  if (steps == WRITTEN_AFTER) {
                    write(setup, model);
                  }
                })
            .losses();
    assertThat(losses.get(losses.size() - 1)).isLessThan(0.9 * losses.get(0));
    List<Double> resumed =
        SmallTraining.run(
                model,
                new Mesh(2, 1, 4),
                1,
                WRITTEN_AFTER,
                (setup, steps) -> {
                  if (steps == WRITTEN_AFTER) {
                    read(setup);
                  }
                })
            .losses();
    for (int i = 0; i < resumed.size(); i++) {
      double expected = losses.get(WRITTEN_AFTER + i);
      assertThat(Math.abs(resumed.get(i) - expected) / expected).isLessThan(1e-9);
    }
  }
}
