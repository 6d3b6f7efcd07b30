package org.longspan.executors.crosscheck;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.io.IOException;
import java.nio.file.Path;
import org.apache.hadoop.conf.Configuration;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.longspan.datapipeline.InvalidInputException;
import org.longspan.executors.checkpoint.SafetensorsFile;
import org.longspan.executors.memory.Arena;
import org.longspan.executors.memory.Matrix;
import org.longspan.executors.memory.Precision;

class CrossCheckTest {
  private static final String MODEL =
      "{width: 12, heads: 3, layers: 3, feed-forward: 20, pattern: [lightning, lightning, local],"
          + " window: 40, convolution: 4}";

  @TempDir Path folder;
  private CrossCheckCase model;

  @BeforeEach
  void writeCheckpoint() throws IOException {
    model = new CrossCheckCase(folder, MODEL);
  }

  private SafetensorsFile open(String output) throws IOException {
    return SafetensorsFile.open(
        new Configuration(), new org.apache.hadoop.fs.Path(folder.resolve(output).toString()));
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
    CrossCheck.Summary summary = model.run(1, Precision.FLOAT, "one");
    assertThat(summary.predicted()).isEqualTo(CrossCheckCase.TOKENS - CrossCheckCase.STARTS.length);
    assertThat(summary.loss()).isCloseTo(model.loss(), within(1e-6));
    try (SafetensorsFile file = open("one")) {
      assertThat(file.metadata()).containsEntry("checkpoint_step", "7");
      double[] tokens = read(file, "tokens");
      double[] targets = read(file, "targets");
      assertThat(tokens).hasSize(CrossCheckCase.TOKENS);
      assertThat(targets[38]).isEqualTo(tokens[39]);
      assertThat(targets[39]).isEqualTo(-1);
      assertThat(targets[CrossCheckCase.TOKENS - 1]).isEqualTo(-1);
      assertThat(read(file, "document_starts")).containsExactly(0, 40, 96, 97);
      assertThat(read(file, "loss")).containsExactly(summary.loss());
      assertThat(file.shape("logits"))
          .containsExactly((long) CrossCheckCase.BLOCK, (long) CrossCheckCase.VOCABULARY);
      assertThat(file.shape("gradient.blocks.2.mixer.projection")).containsExactly(12L, 36L);
      assertThat(file.names().stream().filter(name -> name.startsWith("gradient.")))
          .hasSize(1 + 2 * 8 + 7 + 2);
    }
  }

  @ParameterizedTest
  @CsvSource({"FLOAT, 1e-5", "DOUBLE, 1e-12"})
  void shouldFindTheSameOnAnyNumberOfRanks(Precision precision, double limit) throws IOException {
    model.run(1, precision, "one");
    // Seven ranks outnumber the five blocks.
    for (int ranks : new int[] {3, 7}) {
      model.run(ranks, precision, "many");
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
    model.run(3, Precision.FLOAT, "many");
    try (SafetensorsFile file = open("many")) {
      assertThat(read(file, "logit_positions"))
          .hasSize(3 * CrossCheckCase.BLOCK)
          .contains(0, 32, 96);
      assertThat(file.shape("logits"))
          .containsExactly(3L * CrossCheckCase.BLOCK, (long) CrossCheckCase.VOCABULARY);
    }
  }

  @Test
  void shouldRefuseWhatMakesNoSense() {
    assertThatThrownBy(() -> model.run(0, Precision.FLOAT, "none"))
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
