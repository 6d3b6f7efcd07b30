package org.longspan.executors.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.apache.hadoop.conf.Configuration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.longspan.datapipeline.InvalidInputException;
import org.longspan.datapipeline.dataset.Manifest;
import org.longspan.datapipeline.dataset.SkippedInput;
import org.longspan.datapipeline.dataset.SplitSummary;
import org.longspan.executors.configuration.RunConfiguration;
import org.longspan.executors.kernel.Documents;
import org.longspan.executors.layer.SliceInput;
import org.longspan.executors.memory.Matrix;
import org.longspan.executors.model.ModelShape;
import org.longspan.executors.train.RankSetup;
import org.longspan.executors.train.TrainingStep;
import org.longspan.parallelism.mesh.Mesh;
import org.longspan.parallelism.mesh.Slice;
import org.longspan.parallelism.transport.InProcessTransport;
import org.longspan.parallelism.transport.Transport;

class CheckpointTest {
  private static final int VOCABULARY = 23;
  private static final int TOKENS = 64;

  private static final Manifest DATA = manifest("0a");

  @TempDir private Path run;

  private static Manifest manifest(String checksum) {
    SplitSummary split = new SplitSummary(1, TOKENS, 1, TOKENS, List.of());
    return new Manifest(
        1, "bytes", VOCABULARY, TOKENS, TOKENS, split, null, new SkippedInput(0, 0, 0), checksum);
  }

  private static RunConfiguration configuration(int width) {
    return RunConfiguration.parse(
        "model: {width: "
            + width
            + ", heads: 2, layers: 2, feed-forward: 24, pattern: [lightning, local], convolution: 2}\n"
            + "train: {learning-rate: 0.01}\nkernel: cpu",
        "test.yaml",
        Map.of());
  }

  private static void withModel(int width, Consumer<RankSetup> body) {
    RunConfiguration configuration = configuration(width);
    try (Transport alone = InProcessTransport.connect(1, Duration.ofSeconds(10)).get(0);
        RankSetup setup =
            new RankSetup(
                configuration,
                ModelShape.of(configuration, VOCABULARY),
                new Mesh(1, 1, 1),
                alone,
                1,
                TOKENS,
                32)) {
      body.accept(setup);
    }
  }

  private static double step(RankSetup setup, int iteration) {
    int[] tokens = new Random(iteration).ints(TOKENS, 0, VOCABULARY).toArray();
    int[] targets =
        java.util.Arrays.copyOf(java.util.Arrays.copyOfRange(tokens, 1, TOKENS + 1), TOKENS);
    SliceInput input =
        new SliceInput(tokens, targets, Documents.one(TOKENS, 0), List.of(new Slice(0, TOKENS)), 0);
    return new TrainingStep(setup, 1).run(List.of(() -> input), iteration).loss();
  }

  private Checkpoints checkpoints() throws IOException {
    return Checkpoints.of(new Configuration(), run.toString());
  }

  private String write(RankSetup setup, long step) {
    try {
      return checkpoints().write(setup.model(), configuration(16), DATA, step, 2 * step);
    } catch (IOException e) {
      throw new java.io.UncheckedIOException(e);
    }
  }

  private static double[] numbers(Matrix column) {
    double[] numbers = new double[(int) column.rows()];
    java.util.Arrays.setAll(numbers, row -> column.get(row, 0));
    return numbers;
  }

  @Test
  void shouldGoOnExactlyWhereItWasWritten() {
    double[] expected = new double[2];
    double[][] moments = new double[1][];
    withModel(
        16,
        setup -> {
          step(setup, 0);
          step(setup, 1);
          write(setup, 2);
          moments[0] = numbers(setup.model().optimizerState());
          expected[0] = step(setup, 2);
          expected[1] = step(setup, 3);
        });
    withModel(
        16,
        setup -> {
          Checkpoint checkpoint = Checkpoint.open(new Configuration(), run.toString());
          try {
            checkpoint.readParameters(setup.model());
            checkpoint.readOptimizer(setup.model());
          } catch (IOException e) {
            throw new java.io.UncheckedIOException(e);
          }
          assertThat(checkpoint.manifest().step()).isEqualTo(2);
          assertThat(checkpoint.manifest().samples()).isEqualTo(4);
          assertThat(checkpoint.configuration()).isEqualTo(configuration(16));
          assertThat(numbers(setup.model().optimizerState())).isEqualTo(moments[0]);
          assertThat(step(setup, 2)).isEqualTo(expected[0]);
          assertThat(step(setup, 3)).isEqualTo(expected[1]);
        });
  }

  @Test
  void shouldKeepTheLastThreeAndIgnoreWhatIsHalfWritten() throws IOException {
    withModel(
        16,
        setup -> {
          for (long step = 1; step <= 5; step++) {
            write(setup, step);
          }
        });
    Files.createDirectories(run.resolve("checkpoints/_writing-step-00000009"));
    try (Stream<Path> folders = Files.list(run.resolve("checkpoints"))) {
      assertThat(folders.map(path -> path.getFileName().toString()))
          .containsExactlyInAnyOrder(
              "step-00000003", "step-00000004", "step-00000005", "_writing-step-00000009");
    }
    assertThat(checkpoints().latest().orElseThrow().manifest().step()).isEqualTo(5);
  }

  @Test
  void shouldRefuseOtherDataThanItWasTrainedOn() {
    withModel(16, setup -> write(setup, 1));
    Checkpoint checkpoint = Checkpoint.open(new Configuration(), run.toString());
    checkpoint.requireData(DATA);
    assertThatThrownBy(() -> checkpoint.requireData(manifest("0b")))
        .isInstanceOf(InvalidInputException.class)
        .hasMessageContaining("checksum 0a, and this one has 0b");
  }

  @Test
  void shouldRefuseAnotherModel() {
    withModel(16, setup -> write(setup, 1));
    withModel(
        18,
        setup ->
            assertThatThrownBy(
                    () ->
                        Checkpoint.open(new Configuration(), run.toString())
                            .readParameters(setup.model()))
                .isInstanceOf(InvalidInputException.class)
                .hasMessageContaining("holds another model")
                .hasMessageContaining("model.width is 16 there and is to be 18"));
  }

  @Test
  void shouldRefuseADamagedFile() throws IOException {
    withModel(16, setup -> write(setup, 1));
    Path file = run.resolve("checkpoints/step-00000001/model.safetensors");
    byte[] bytes = Files.readAllBytes(file);
    bytes[bytes.length - 1] ^= 1;
    Files.write(file, bytes);
    expectRefusal();
    // Hadoop's own checksum beside the file saw it first; without that one ours must.
    Files.deleteIfExists(file.resolveSibling(".model.safetensors.crc"));
    expectRefusal();
  }

  private void expectRefusal() {
    withModel(
        16,
        setup ->
            assertThatThrownBy(
                    () ->
                        Checkpoint.open(new Configuration(), run.toString())
                            .readParameters(setup.model()))
                .isInstanceOf(InvalidInputException.class)
                .hasMessageContaining("is not as it was written"));
  }

  @Test
  void shouldSayThatThereIsNone() {
    assertThatThrownBy(() -> Checkpoint.open(new Configuration(), run.toString()))
        .isInstanceOf(InvalidInputException.class)
        .hasMessageContaining("There is no checkpoint in");
  }

  @Test
  void shouldSayWhereACheckpointCouldNotBeWritten() throws IOException {
    Files.write(run.resolve("checkpoints"), new byte[] {1});
    withModel(
        16,
        setup ->
            assertThatThrownBy(
                    () ->
                        Checkpoints.of(new Configuration(), run.toString())
                            .write(setup.model(), configuration(16), DATA, 7, 7))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("The checkpoint of step 7 could not be written to"));
  }
}
