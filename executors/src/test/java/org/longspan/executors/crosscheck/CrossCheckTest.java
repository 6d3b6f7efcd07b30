package org.longspan.executors.crosscheck;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.apache.hadoop.conf.Configuration;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.longspan.datapipeline.InvalidInputException;
import org.longspan.datapipeline.dataset.Manifest;
import org.longspan.datapipeline.dataset.SkippedInput;
import org.longspan.datapipeline.dataset.SplitSummary;
import org.longspan.executors.checkpoint.Checkpoint;
import org.longspan.executors.checkpoint.Checkpoints;
import org.longspan.executors.checkpoint.SafetensorsFile;
import org.longspan.executors.configuration.RunConfiguration;
import org.longspan.executors.kernel.KernelChoice;
import org.longspan.executors.layer.SliceInput;
import org.longspan.executors.memory.Arena;
import org.longspan.executors.memory.Matrix;
import org.longspan.executors.memory.Precision;
import org.longspan.executors.model.LanguageModel;
import org.longspan.executors.model.ModelShape;
import org.longspan.executors.train.RankSetup;
import org.longspan.parallelism.mesh.Mesh;
import org.longspan.parallelism.transport.InProcessTransport;
import org.longspan.parallelism.transport.Transport;

class CrossCheckTest {
  private static final int VOCABULARY = 23;
  private static final int TOKENS = 150;
  private static final int BLOCK = 32;
  private static final int[] STARTS = {0, 40, 96, 97};
  private static final Configuration HADOOP = new Configuration();

  @TempDir Path folder;
  private TokenBatch batch;
  private double loss;
  private double predicted;

  private static RunConfiguration model() {
    return RunConfiguration.parse(
        "model: {width: 12, heads: 3, layers: 3, feed-forward: 20, pattern: [lightning, lightning, local],"
            + " window: 40, convolution: 4}\nkernel: cpu",
        "test.yaml",
        Map.of());
  }

  /**
   * A checkpoint of a model with weights at random, and what the model itself says of the batch.
   */
  @BeforeEach
  void writeCheckpoint() throws IOException {
    batch = new TokenBatch(new Random(2).ints(TOKENS, 0, VOCABULARY).toArray(), STARTS);
    ModelShape shape = ModelShape.of(model(), VOCABULARY);
    try (Transport alone = InProcessTransport.connect(1, Duration.ofSeconds(10)).get(0);
        RankSetup setup =
            new RankSetup(model(), shape, new Mesh(1, 1, 1), alone, 1, TOKENS, BLOCK)) {
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
      predicted = input.predicted();
      loss = language.loss(input);
      Checkpoints.of(HADOOP, folder.toString()).write(language, model(), data(), 7, 0);
    }
  }

  private static Manifest data() {
    SplitSummary split = new SplitSummary(1, TOKENS, 1, TOKENS, List.of());
    return new Manifest(
        1, "test", VOCABULARY, TOKENS, TOKENS, split, null, new SkippedInput(0, 0, 0), "0a");
  }

  private CrossCheck.Summary run(int ranks, Precision precision, String output) throws IOException {
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

  private SafetensorsFile open(String output) throws IOException {
    return SafetensorsFile.open(
        HADOOP, new org.apache.hadoop.fs.Path(folder.resolve(output).toString()));
  }

  private static double[] read(SafetensorsFile file, String tensor) throws IOException {
    int size = Math.toIntExact(file.shape(tensor).stream().reduce(1L, (a, b) -> a * b));
    try (Arena arena = new Arena("of the test", Precision.DOUBLE)) {
      Matrix values = arena.matrix(1, size);
      file.read(tensor, values);
      double[] numbers = new double[size];
      for (int i = 0; i < size; i++) {
        numbers[i] = values.get(0, i);
      }
      return numbers;
    }
  }

  @Test
  void shouldWriteTheBatchAndWhatTheModelMakesOfIt() throws IOException {
    CrossCheck.Summary summary = run(1, Precision.FLOAT, "one");
    assertThat(summary.predicted()).isEqualTo(TOKENS - STARTS.length);
    assertThat(summary.loss()).isCloseTo(loss / predicted, within(1e-6));
    try (SafetensorsFile file = open("one")) {
      assertThat(file.metadata()).containsEntry("checkpoint_step", "7");
      double[] tokens = read(file, "tokens");
      double[] targets = read(file, "targets");
      assertThat(tokens).hasSize(TOKENS);
      assertThat(targets[38]).isEqualTo(tokens[39]);
      assertThat(targets[39]).isEqualTo(-1);
      assertThat(targets[TOKENS - 1]).isEqualTo(-1);
      assertThat(read(file, "document_starts")).containsExactly(0, 40, 96, 97);
      assertThat(read(file, "loss")).containsExactly(summary.loss());
      assertThat(file.shape("logits")).containsExactly((long) BLOCK, (long) VOCABULARY);
      assertThat(file.shape("gradient.blocks.2.mixer.projection")).containsExactly(12L, 36L);
      assertThat(file.names().stream().filter(name -> name.startsWith("gradient.")))
          .hasSize(1 + 2 * 8 + 7 + 2);
    }
  }

  @ParameterizedTest
  @CsvSource({"FLOAT, 1e-5", "DOUBLE, 1e-12"})
  void shouldFindTheSameOnAnyNumberOfRanks(Precision precision, double limit) throws IOException {
    run(1, precision, "one");
    // Seven ranks outnumber the five blocks.
    for (int ranks : new int[] {3, 7}) {
      run(ranks, precision, "many");
      try (SafetensorsFile one = open("one");
          SafetensorsFile many = open("many")) {
        assertThat(many.names()).isEqualTo(one.names());
        for (String tensor : one.names()) {
          if (!tensor.startsWith("logit")) {
            assertThat(relativeError(read(many, tensor), read(one, tensor)))
                .as("%s at %s ranks", tensor, ranks)
                .isLessThan(limit);
          }
        }
      }
    }
  }

  @Test
  void shouldTakeLogitsFromEveryRank() throws IOException {
    run(3, Precision.FLOAT, "many");
    try (SafetensorsFile file = open("many")) {
      assertThat(read(file, "logit_positions")).hasSize(3 * BLOCK).contains(0, 32, 96);
      assertThat(file.shape("logits")).containsExactly(3L * BLOCK, (long) VOCABULARY);
    }
  }

  @Test
  void shouldRefuseWhatMakesNoSense() {
    assertThatThrownBy(() -> run(0, Precision.FLOAT, "none"))
        .isInstanceOf(InvalidInputException.class)
        .hasMessageContaining("--ranks is 0");
  }

  private static double relativeError(double[] found, double[] expected) {
    assertThat(found).hasSameSizeAs(expected);
    double difference = 0;
    double norm = 0;
    for (int i = 0; i < expected.length; i++) {
      difference += (found[i] - expected[i]) * (found[i] - expected[i]);
      norm += expected[i] * expected[i];
    }
    assertThat(norm).isPositive();
    return Math.sqrt(difference / norm);
  }
}
