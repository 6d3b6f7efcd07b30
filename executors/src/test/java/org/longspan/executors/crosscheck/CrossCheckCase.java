package org.longspan.executors.crosscheck;

import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.apache.hadoop.conf.Configuration;
import org.longspan.datapipeline.dataset.Manifest;
import org.longspan.datapipeline.dataset.SkippedInput;
import org.longspan.datapipeline.dataset.SplitSummary;
import org.longspan.executors.checkpoint.Checkpoint;
import org.longspan.executors.checkpoint.Checkpoints;
import org.longspan.executors.configuration.RunConfiguration;
import org.longspan.executors.kernel.KernelChoice;
import org.longspan.executors.layer.SliceInput;
import org.longspan.executors.memory.Matrix;
import org.longspan.executors.memory.Precision;
import org.longspan.executors.model.LanguageModel;
import org.longspan.executors.model.ModelShape;
import org.longspan.executors.train.RankSetup;
import org.longspan.parallelism.mesh.Mesh;
import org.longspan.parallelism.transport.InProcessTransport;
import org.longspan.parallelism.transport.Transport;

/** A checkpoint in a folder, of a model with weights at random, and a batch for it. */
final class CrossCheckCase {
  static final int VOCABULARY = 23;
  static final int TOKENS = 150;
  static final int BLOCK = 32;
  static final int[] STARTS = {0, 40, 96, 97};
  static final int STEP = 7;

  private static final Configuration HADOOP = new Configuration();

  private final TokenBatch batch =
      new TokenBatch(new Random(2).ints(TOKENS, 0, VOCABULARY).toArray(), STARTS);
  private final Path folder;
  private final double loss;

  /**
   * Writes it.
   *
   * @param model its part of the configuration, YAML
   */
  CrossCheckCase(Path folder, String model) throws IOException {
    this.folder = folder;
    RunConfiguration configuration =
        RunConfiguration.parse("model: " + model + "\nkernel: cpu", "test.yaml", Map.of());
    ModelShape shape = ModelShape.of(configuration, VOCABULARY);
    try (Transport alone = InProcessTransport.connect(1, Duration.ofSeconds(10)).get(0);
        RankSetup setup =
            new RankSetup(configuration, shape, new Mesh(1, 1, 1), alone, 1, TOKENS, BLOCK)) {
      LanguageModel language = setup.model();
      Random random = new Random(3);
      for (Matrix values : language.parameters().values()) {
        for (long row = 0; row < values.rows(); row++) {
          for (int column = 0; column < values.columns(); column++) {
            values.put(row, column, values.get(row, column) + 0.2 * random.nextGaussian());
          }
        }
      }
      SliceInput input = batch.slice(0, 1, BLOCK);
      loss = language.loss(input) / input.predicted();
      Checkpoints.of(HADOOP, folder.toString()).write(language, configuration, data(), STEP, 0);
    }
  }

  private static Manifest data() {
    SplitSummary split = new SplitSummary(1, TOKENS, 1, TOKENS, List.of());
    return new Manifest(
        1, "test", VOCABULARY, TOKENS, TOKENS, split, null, new SkippedInput(0, 0, 0), "0a");
  }

  /** What the model itself says of the batch: the mean in nats. */
  double loss() {
    return loss;
  }

  /** Writes {@code output} into the folder. */
  CrossCheck.Summary run(int ranks, Precision precision, String output) throws IOException {
    CrossCheckOptions options =
        new CrossCheckOptions(
            folder.toString(),
            "",
            ranks,
            TOKENS,
            KernelChoice.CPU,
            precision,
            folder.resolve(output));
    return new CrossCheck(options, Checkpoint.open(HADOOP, options.checkpoint()), BLOCK).run(batch);
  }
}
