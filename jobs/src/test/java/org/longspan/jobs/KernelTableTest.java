package org.longspan.jobs;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalDouble;
import org.junit.jupiter.api.Test;
import org.longspan.executors.bench.kernel.BenchedKernel;
import org.longspan.executors.bench.kernel.ComputeRates;
import org.longspan.executors.bench.kernel.KernelForm;
import org.longspan.executors.bench.kernel.KernelMeasurement;
import org.longspan.executors.bench.kernel.KernelMeasurement.Measured;
import org.longspan.executors.bench.kernel.KernelMeasurement.Missing;
import org.longspan.executors.bench.kernel.KernelPass;
import org.longspan.executors.kernel.AttentionShape;

class KernelTableTest {
  private static final Measured MEASURED =
      new Measured(
          BenchedKernel.LATENT,
          KernelPass.BACKWARD,
          KernelForm.APARAPI,
          "aparapi on a device",
          new AttentionShape(2, 192, 128),
          64,
          OptionalDouble.of(0.5),
          0.75,
          1e12,
          2e9,
          new ComputeRates(4e12, 1e11));
  private static final Missing MISSING =
      new Missing(BenchedKernel.GLA, KernelForm.APARAPI, "there is no such form of it yet");

  @Test
  void shouldPrintEveryKeyForPrograms() throws IOException {
    JsonNode object = new ObjectMapper().readTree(KernelTable.json(MEASURED));

    List<String> keys = new ArrayList<>();
    object.fieldNames().forEachRemaining(keys::add);
    assertThat(keys)
        .contains(
            "kernel",
            "pass",
            "form",
            "device",
            "precision",
            "tokens",
            "heads",
            "width",
            "milliseconds",
            "milliseconds_with_transfers",
            "teraflops",
            "floor_milliseconds");
    assertThat(object.get("kernel").asText()).isEqualTo("latent");
    assertThat(object.get("pass").asText()).isEqualTo("backward");
    assertThat(object.get("form").asText()).isEqualTo("aparapi");
    assertThat(object.get("milliseconds").asDouble()).isEqualTo(500);
    assertThat(object.get("milliseconds_with_transfers").asDouble()).isEqualTo(750);
    assertThat(object.get("teraflops").asDouble()).isEqualTo(2);
    assertThat(object.get("floor_milliseconds").asDouble()).isEqualTo(250);
    assertThat(new ObjectMapper().readTree(KernelTable.json(MISSING)).get("missing").asText())
        .isEqualTo("there is no such form of it yet");
  }

  @Test
  void shouldPrintATableForEachKernel() {
    String text = print(MEASURED, MEASURED, MISSING);

    assertThat(text.split("\nlatent\n", -1)).hasSize(2);
    assertThat(text).contains("\ngla\n").contains("not measured: there is no such form of it yet");
    assertThat(text).containsPattern("aparapi +backward +500\\.00 +750\\.00 +2\\.000 +4\\.0 ");
  }

  private static String print(KernelMeasurement... measurements) {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    KernelTable table =
        new KernelTable(new PrintStream(bytes, true, StandardCharsets.UTF_8), false);
    for (KernelMeasurement measurement : measurements) {
      table.add(measurement);
    }
    return bytes.toString(StandardCharsets.UTF_8);
  }
}
