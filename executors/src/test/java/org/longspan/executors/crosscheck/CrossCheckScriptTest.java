package org.longspan.executors.crosscheck;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import org.junit.jupiter.api.condition.EnabledIfEnvironmentVariable;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.longspan.executors.memory.Precision;

/** The whole model once more, in PyTorch, by the script that comes with Longspan. */
@EnabledIfEnvironmentVariable(
    named = "LONGSPAN_PYTORCH_PYTHON",
    matches = ".+",
    disabledReason = "LONGSPAN_PYTORCH_PYTHON names no Python with torch, safetensors and pyyaml")
class CrossCheckScriptTest {
  private static final String LIMIT = "1e-12";

  @TempDir Path folder;

  @ParameterizedTest
  @ValueSource(
      strings = {
        "pattern: [lightning, local], window: 40, convolution: 4",
        "pattern: [latent, lightning], convolution: 4, latent: {rank: 8}",
        "pattern: [latent], latent: {rank: 8, query-rank: 10, nope: 6, rope: 4, value: 5}",
        "pattern: [latent], latent: {rank: 8, form: tpla, groups: 2, value: 7}",
        "pattern: [latent], latent: {rank: 12, query-rank: 10, form: tpla, groups: 4, norm: local}",
        "pattern: [latent], latent: {rank: 8, query-rank: 10, form: mlra, groups: 2}"
      })
  void shouldAgreeWithPyTorch(String model) throws IOException, InterruptedException {
    new CrossCheckCase(folder, "{width: 12, heads: 3, layers: 2, feed-forward: 20, " + model + "}")
        .run(3, Precision.DOUBLE, "batch.safetensors");
    Process script =
        new ProcessBuilder(
                System.getenv("LONGSPAN_PYTORCH_PYTHON"),
                Path.of("..", "jobs", "crosscheck", "crosscheck.py").toString(),
                "--checkpoint",
                folder.toString(),
                "--batch",
                folder.resolve("batch.safetensors").toString(),
                "--limit",
                LIMIT)
            .redirectErrorStream(true)
            .start();
    String said = new String(script.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertThat(script.waitFor()).as(said).isZero();
    assertThat(said).contains("agrees: the largest relative error of");
  }
}
