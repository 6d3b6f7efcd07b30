package org.longspan.executors.latent;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeFalse;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.apache.hadoop.conf.Configuration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.longspan.datapipeline.InvalidInputException;
import org.longspan.executors.checkpoint.NamedTensor;
import org.longspan.executors.checkpoint.SafetensorsFile;
import org.longspan.executors.checkpoint.SafetensorsWriter;
import org.longspan.executors.configuration.MixerKind;
import org.longspan.executors.conform.Conform;
import org.longspan.executors.conform.ConformOptions;
import org.longspan.executors.conform.ConformOptions.LatentChoices;
import org.longspan.executors.conform.DocumentsTensor;
import org.longspan.executors.conform.TransportKind;
import org.longspan.executors.kernel.KernelChoice;
import org.longspan.executors.memory.Arena;
import org.longspan.executors.memory.Matrix;
import org.longspan.executors.memory.Precision;
import org.longspan.executors.opencl.OpenClDevices;
import org.longspan.parallelism.collective.ScanChoice;

/** A case in a file, through a conformance run, against the formulas. */
class LatentConformTest {
  private static final Map<String, String> METADATA =
      Map.of("rope_theta", "500.0", "epsilon", "0.03");

  private static final int[] DOCUMENTS = {0, 7, 30};

  @TempDir private Path folder;

  private static LatentCase given(LatentForm form, LatentNorm norm, int queryRank, int groups) {
    return new LatentCase(
        new LatentShape(12, 4, queryRank, 16, 6, 4, 5, form, norm, groups, 500, 0.03),
        50,
        DOCUMENTS);
  }

  /** The sides of each tensor that has more than two, or one. */
  private static List<Long> sides(LatentShape shape, String name, double[][] values) {
    long rows = values.length;
    long heads = shape.heads();
    return switch (name) {
      case "wuq", "wuk" -> List.of(rows, heads, (long) shape.nope());
      case "wqr" -> List.of(rows, heads, (long) shape.rope());
      case "wuv" -> List.of(rows, heads, (long) shape.value());
      case "wo" -> List.of(heads, (long) shape.value(), (long) shape.width());
      case "gamma", "gamma_q", "mu", "alpha" -> List.of((long) values[0].length);
      default -> List.of(rows, (long) values[0].length);
    };
  }

  private Path write(LatentCase given, Map<String, String> metadata, String... left)
      throws IOException {
    Map<String, double[][]> tensors = new LinkedHashMap<>(given.weights());
    tensors.put("x", given.x());
    tensors.put("du", given.outputGradient());
    tensors.put("alpha", new double[][] {given.estimates()});
    List.of(left).forEach(tensors::remove);
    Path input = folder.resolve("case.safetensors");
    try (Arena arena = new Arena("test", Precision.DOUBLE);
        OutputStream out = Files.newOutputStream(input)) {
      List<NamedTensor> named = new ArrayList<>();
      tensors.forEach(
          (name, values) -> {
            Matrix matrix = arena.matrix(values.length, values[0].length);
            LatentCase.copy(values, matrix);
            named.add(new NamedTensor(name, sides(given.shape(), name, values), matrix));
          });
      SafetensorsWriter.write(out, named, metadata);
    }
    DocumentsTensor.add(input, DOCUMENTS);
    return input;
  }

  private Path run(Path input, int ranks, int tensor, TransportKind transport, LatentChoices how)
      throws IOException {
    return run(input, ranks, tensor, transport, how, KernelChoice.CPU, Precision.DOUBLE);
  }

  private Path run(
      Path input,
      int ranks,
      int tensor,
      TransportKind transport,
      LatentChoices how,
      KernelChoice kernel,
      Precision precision)
      throws IOException {
    Path output = folder.resolve("result.safetensors");
    Conform.run(
        new ConformOptions(
            MixerKind.LATENT,
            ranks,
            16,
            kernel,
            precision,
            transport,
            ScanChoice.CHAIN,
            input,
            output,
            tensor,
            how));
    return output;
  }

  private static void assertEqualsReference(LatentCase given, Path output, double limit)
      throws IOException {
    LatentReference reference = new LatentReference(given);
    Map<String, double[][]> expected = new LinkedHashMap<>();
    expected.put("u", reference.output());
    reference.gradients().forEach((name, gradient) -> expected.put("d" + name, gradient));
    try (Arena arena = new Arena("test", Precision.DOUBLE);
        SafetensorsFile file =
            SafetensorsFile.open(
                new Configuration(), new org.apache.hadoop.fs.Path(output.toUri()))) {
      assertThat(file.names()).containsExactlyInAnyOrderElementsOf(expected.keySet());
      for (Map.Entry<String, double[][]> one : expected.entrySet()) {
        double[][] values = one.getValue();
        Matrix found = arena.matrix(values.length, values[0].length);
        file.read(one.getKey(), found);
        assertThat(file.shape(one.getKey()))
            .isEqualTo(sides(given.shape(), one.getKey().replaceFirst("^d", ""), values));
        assertThat(LatentCase.relativeError(LatentCase.copy(found), values))
            .as(one.getKey())
            .isLessThan(limit);
      }
    }
  }

  @ParameterizedTest
  @CsvSource({
    "MLA, EXACT, 10, 1, 3, 2, NETWORK",
    "MLA, LOCAL, 0, 1, 1, 4, LOCAL",
    "TPLA, EXACT, 10, 4, 2, 2, LOCAL",
    "TPLA, LOCAL, 0, 2, 2, 2, LOCAL",
    "MLRA, LOCAL, 10, 8, 1, 8, LOCAL"
  })
  void shouldWriteWhatTheFormulasGive(
      LatentForm form,
      LatentNorm norm,
      int queryRank,
      int groups,
      int ranks,
      int tensor,
      TransportKind transport)
      throws IOException {
    LatentCase given = given(form, norm, queryRank, groups);
    Path input = write(given, METADATA);
    LatentChoices how = new LatentChoices(form, norm, groups);
    assertEqualsReference(given, run(input, ranks, tensor, transport, how), 1e-12);
  }

  @Test
  void shouldWriteAboutTheSameFromADevice() throws IOException {
    assumeFalse(
        OpenClDevices.all().isEmpty(), "no OpenCL device on this machine: Aparapi is not tested");
    LatentCase given = given(LatentForm.TPLA, LatentNorm.EXACT, 10, 4);
    Path output =
        run(
            write(given, METADATA),
            2,
            2,
            TransportKind.LOCAL,
            new LatentChoices(LatentForm.TPLA, LatentNorm.EXACT, 4),
            KernelChoice.APARAPI,
            Precision.FLOAT);
    assertEqualsReference(given, output, 1e-5);
    assertThatThrownBy(() -> assertEqualsReference(given, output, 1e-12))
        .isInstanceOf(AssertionError.class);
  }

  @Test
  void shouldSayWhatIsWrongWithACase() throws IOException {
    LatentCase given = given(LatentForm.TPLA, LatentNorm.LOCAL, 10, 2);
    LatentChoices local = new LatentChoices(LatentForm.TPLA, LatentNorm.LOCAL, 0);
    assertRefused(write(given, METADATA, "alpha"), 1, local, "alpha");
    assertRefused(write(given, METADATA, "gamma_q"), 1, local, "both or neither");
    assertRefused(write(given, METADATA, "wkr"), 1, local, "wkr");
    assertRefused(write(given, Map.of("epsilon", "1e-6")), 1, local, "rope_theta is null");
    assertRefused(write(given, METADATA), 4, local, "2 groups cannot be dealt evenly to 4 ranks");
    assertRefused(
        write(given, METADATA),
        1,
        new LatentChoices(LatentForm.TPLA, LatentNorm.LOCAL, 4),
        "--groups is 4");
    assertRefused(
        write(given, METADATA),
        3,
        new LatentChoices(LatentForm.MLA, null, 1),
        "4 heads cannot be dealt evenly to 3 ranks");
    assertRefused(
        write(given, METADATA),
        1,
        new LatentChoices(LatentForm.MLRA, null, 3),
        "no multiple of the groups, 3");
  }

  private void assertRefused(Path input, int tensor, LatentChoices how, String words) {
    assertThatThrownBy(() -> run(input, 1, tensor, TransportKind.LOCAL, how))
        .isInstanceOf(InvalidInputException.class)
        .hasMessageContaining(words);
  }

  @Test
  void shouldSayWhatIsWrongWithChoices() {
    assertThatThrownBy(() -> new LatentChoices(LatentForm.MLA, null, 2))
        .isInstanceOf(InvalidInputException.class)
        .hasMessageContaining("mla has one group");
    assertThatThrownBy(() -> new LatentChoices(LatentForm.MLRA, LatentNorm.EXACT, 2))
        .isInstanceOf(InvalidInputException.class)
        .hasMessageContaining("use local");
    assertThatThrownBy(() -> new LatentChoices(LatentForm.MLRA, null, 0))
        .isInstanceOf(InvalidInputException.class)
        .hasMessageContaining("needs --groups");
    assertThatThrownBy(() -> run(folder.resolve("none"), 1, 1, TransportKind.LOCAL, null))
        .isInstanceOf(InvalidInputException.class)
        .hasMessageContaining("needs --form");
  }
}
