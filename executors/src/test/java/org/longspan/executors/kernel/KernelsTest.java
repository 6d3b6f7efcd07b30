package org.longspan.executors.kernel;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeFalse;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledIfEnvironmentVariable;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.longspan.datapipeline.InvalidInputException;
import org.longspan.executors.memory.Precision;
import org.longspan.executors.opencl.OpenClDevices;

class KernelsTest {
  private static final AttentionShape SHAPE = new AttentionShape(2, 4, 4);

  @Test
  void shouldSayWhatComputesAndWhy() {
    assertThat(description(KernelChoice.CPU, Precision.FLOAT)).isEqualTo("cpu");
    assertThat(description(KernelChoice.AUTO, Precision.DOUBLE))
        .isEqualTo("cpu (auto: double runs on the CPU only)");
    String automatic = description(KernelChoice.AUTO, Precision.FLOAT);
    if (OpenClDevices.gpu().isPresent()) {
      assertThat(automatic).startsWith("aparapi on ");
    } else {
      assertThat(automatic).isEqualTo("cpu (auto: no OpenCL GPU found)");
    }
  }

  @Test
  void shouldChooseForGatesAsForConstantDecays() {
    for (GateWidth gateWidth : GateWidth.values()) {
      for (KernelChoice choice : KernelChoice.values()) {
        if (choice.needsDevice() && OpenClDevices.all().isEmpty()) {
          continue;
        }
        try (Workers workers = new Workers(1);
            LinearAttention gated =
                Kernels.gated(choice, Precision.FLOAT, SHAPE, gateWidth, 64, workers)) {
          assertThat(gated.description()).isEqualTo(description(choice, Precision.FLOAT));
        }
      }
    }
  }

  /**
   * Where the check of a change runs, a device that is not found must not pass for a machine that
   * has none.
   */
  @Test
  @EnabledIfEnvironmentVariable(named = "LONGSPAN_REQUIRE_OPENCL", matches = "true")
  void shouldHaveADeviceWhereOneIsRequired() {
    assertThat(OpenClDevices.all()).isNotEmpty();
  }

  @Test
  void shouldSayOnWhichDevice() {
    assumeFalse(
        OpenClDevices.all().isEmpty(), "no OpenCL device on this machine: Aparapi is not tested");
    String device = OpenClDevices.name(OpenClDevices.best().orElseThrow());
    assertThat(description(KernelChoice.APARAPI, Precision.FLOAT))
        .isEqualTo("aparapi on " + device);
    assertThat(description(KernelChoice.APARAPI_BF16, Precision.FLOAT))
        .isEqualTo("aparapi in bf16 on " + device);
  }

  @ParameterizedTest
  @EnumSource(names = {"APARAPI", "APARAPI_BF16"})
  void shouldRefuseDoublesOnADevice(KernelChoice choice) {
    assertThatThrownBy(() -> description(choice, Precision.DOUBLE))
        .isInstanceOf(InvalidInputException.class)
        .hasMessageContaining("kernel: aparapi computes in float only");
  }

  @Test
  void shouldRefuseSlopesThatDoNotFit() {
    assertThatThrownBy(() -> make(KernelChoice.CPU, Precision.FLOAT, 0.5))
        .hasMessage("1 slopes for 2 heads");
    assertThatThrownBy(() -> make(KernelChoice.CPU, Precision.FLOAT, 0.5, -1))
        .hasMessage("A slope is at least 0, not -1.0");
    assertThatThrownBy(() -> make(KernelChoice.CPU, Precision.FLOAT, 0.5, Double.NaN))
        .hasMessage("A slope is at least 0, not NaN");
  }

  @Test
  void shouldRefuseAnEmptyWindow() {
    try (Workers workers = new Workers(1)) {
      assertThatThrownBy(() -> Kernels.window(KernelChoice.CPU, Precision.FLOAT, SHAPE, 0, workers))
          .hasMessage("A window holds at least its own token, not 0");
    }
  }

  private static String description(KernelChoice choice, Precision precision) {
    return make(choice, precision, 0.5, 0.25);
  }

  private static String make(KernelChoice choice, Precision precision, double... slopes) {
    try (Workers workers = new Workers(1);
        LinearAttention attention = Kernels.linear(choice, precision, SHAPE, slopes, 64, workers)) {
      return attention.description();
    }
  }
}
