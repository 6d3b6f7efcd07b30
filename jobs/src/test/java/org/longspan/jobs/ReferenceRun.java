package org.longspan.jobs;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * A short run that must be the same to the last bit whichever way it is started, and what {@code
 * longspan train} makes of it on a Spark of its own.
 */
public final class ReferenceRun {
  public static final int STEPS = 4;

  public static final String CONFIGURATION =
      """
      model: {width: 16, heads: 2, layers: 2, pattern: [lightning, local], window: 32, convolution: 3}
      mesh: {sequence: 2}
      train: {steps: %d, checkpoint-every: 2, warmup: 2, learning-rate: 0.01}
      deterministic: true
      """
          .formatted(STEPS);

  private static final ObjectMapper JSON = new ObjectMapper();

  private ReferenceRun() {}

  /** Trains on {@code data}, leaving files in {@code folder}; gives the {@link #losses}. */
  public static List<String> train(Path folder, String data)
      throws IOException, InterruptedException {
    Path configuration = Files.writeString(folder.resolve("reference.yaml"), CONFIGURATION);
    Path output = folder.resolve("reference");
    try (CommandProcess train =
        CommandProcess.start(
            folder,
            "train",
            "--config",
            configuration.toString(),
            "--data",
            data,
            "--output",
            output.toString())) {
      assertThat(train.end()).as(train.text()).isZero();
    }
    List<String> losses = losses(output);
    assertThat(losses).hasSize(STEPS).doesNotHaveDuplicates();
    return losses;
  }

  /**
   * Takes out what tells OpenBLAS which processor it has: its kernels round differently, and not
   * every way of starting a run hands the environment on.
   */
  public static void leaveKernelsToOpenBlas(Map<String, String> environment) {
    environment.keySet().removeIf(name -> name.startsWith("OPENBLAS_"));
  }

  /** What a run logged of each step that another would have to repeat to the last bit. */
  public static List<String> losses(Path run) throws IOException {
    List<String> losses = new ArrayList<>();
    for (String line : Files.readAllLines(run.resolve("run.jsonl"))) {
      JsonNode step = JSON.readTree(line);
      losses.add(step.path("step") + " " + step.path("loss") + " " + step.path("gradient_norm"));
    }
    return losses;
  }
}
