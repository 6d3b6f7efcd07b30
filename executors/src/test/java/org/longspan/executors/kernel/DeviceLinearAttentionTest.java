package org.longspan.executors.kernel;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeFalse;

import com.aparapi.device.OpenCLDevice;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.longspan.executors.kernel.AttentionResult.Tolerance;
import org.longspan.executors.layer.LinearRule;
import org.longspan.executors.memory.Arena;
import org.longspan.executors.memory.Precision;
import org.longspan.executors.opencl.KernelLauncher;
import org.longspan.executors.opencl.LaunchShape;
import org.longspan.executors.opencl.LaunchTime;
import org.longspan.executors.opencl.OpenClDevices;

/** The work-group form of each recurrence, on whatever OpenCL device there is. */
class DeviceLinearAttentionTest {
  private static final Tolerance TOLERANCE = new Tolerance(1e-5, 1e-5);

  /**
   * A gate's gradient is the sum of {@code q·dq − k·dk}, whose terms cancel where gates are so
   * strong that hardly a token sees another.
   */
  private static final Tolerance OF_STRONGEST_GATES = new Tolerance(1e-5, 1e-4);

  private static final double STRONGEST = 1000;

  private static OpenCLDevice device;

  @BeforeAll
  static void shouldHaveADevice() {
    assumeFalse(
        OpenClDevices.all().isEmpty(), "no OpenCL device on this machine: Aparapi is not tested");
    device = OpenClDevices.best().orElseThrow();
  }

  @ParameterizedTest
  @CsvSource({"1,1", "3,5", "16,16", "64,65", "130,20", "20,130", "256,16"})
  void shouldEqualTheRecurrenceAtAnyWidth(int keyWidth, int valueWidth) {
    assertEqualsRecurrence(new AttentionShape(2, keyWidth, valueWidth), Documents.one(70, 7), 0.2);
  }

  @ParameterizedTest
  @ValueSource(ints = {0, 1, 15, 16, 17, 63, 64, 65, 200, 1100})
  void shouldEqualTheRecurrenceAtAnyLength(int tokens) {
    assertEqualsRecurrence(new AttentionShape(2, 9, 4), Documents.one(tokens, 1), 0.2);
  }

  @ParameterizedTest
  @ValueSource(doubles = {1.0 / 256, 1.0 / 16, 1, 16, STRONGEST})
  void shouldEqualTheRecurrenceUnderStrongAndWeakDecay(double strength) {
    assertEqualsRecurrence(new AttentionShape(4, 8, 6), Documents.one(300, 3), strength);
  }

  @ParameterizedTest
  @ValueSource(strings = {"0", "0 1 2 3", "63", "64", "65", "1 63 65", "10 70 71 128 190"})
  void shouldStopAtDocumentBoundaries(String starts) {
    int[] offsets = Arrays.stream(starts.split(" ")).mapToInt(Integer::parseInt).toArray();
    assertEqualsRecurrence(
        new AttentionShape(3, 5, 8),
        new Documents(200, offsets, offsets[0] == 0 ? 0 : 20),
        1.0 / 64);
  }

  @Test
  void shouldEqualOneSliceWhenCutOverRanks() {
    Documents documents = new Documents(300, new int[] {0, 40, 64, 210, 290}, 0);
    AttentionShape shape = new AttentionShape(2, 8, 5);
    assertEqualsRecurrence(shape, documents, 0.1, 64, 128, 192, 256);
    assertEqualsRecurrence(shape, documents, 0.1, 100, 100, 300);
    assertEqualsRecurrence(shape, Documents.one(300, 0), 0.01, 64, 130, 131);
  }

  @ParameterizedTest
  @EnumSource(DeviceForm.class)
  void shouldRunOnTheDevice(DeviceForm form) {
    LinearKernel kernel = form.kernel(new LinearRoom(1, 1, 1, 16, 16, form.gateWidth(16), false));
    kernel.heads = 1;
    kernel.tokens = 1;
    kernel.chunks = 1;
    kernel.keyWidth = 16;
    kernel.valueWidth = 16;
    kernel.gateWidth = form.gateWidth(16);
    kernel.keysFrom = 16;
    kernel.starts[1] = 1;
    kernel.stages[0] = LinearKernel.SUM_LOGS;
    kernel.stages[1] = LinearKernel.SUMMARIZE;
    kernel.stages[2] = LinearKernel.SCAN;
    kernel.stages[3] = LinearKernel.OUTPUTS;
    kernel.keySide[0] = 2;
    kernel.keySide[16] = 3;
    kernel.valueSide[0] = 5;
    Arrays.fill(kernel.valueOutputs, Float.NaN);
    try (KernelLauncher<LinearKernel> launcher = KernelLauncher.of(device, kernel)) {
      launcher.launch(
          new LaunchShape(kernel.groups(), LinearKernel.GROUP, 4),
          List.of(
              kernel.stages,
              kernel.starts,
              kernel.fresh,
              kernel.slopes,
              kernel.gates,
              kernel.keySide,
              kernel.valueSide,
              kernel.before),
          List.of(kernel.valueOutputs, kernel.passed));
      assertThat(kernel.isRunningCL()).isTrue();
      assertThat(kernel.getProfileReportCurrentThread(device).get().getKernelClass())
          .isEqualTo(kernel.getClass());
    }
    assertThat(kernel.valueOutputs[0]).isEqualTo(30f);
    assertThat(Arrays.copyOfRange(kernel.valueOutputs, 1, 16)).containsOnly(0f);
    assertThat(kernel.passed[0]).isEqualTo(15f);
  }

  @Test
  void shouldTimeLaunchesWhenAsked() {
    AttentionShape shape = new AttentionShape(1, 4, 4);
    try (Arena arena = new Arena("of a test", Precision.FLOAT);
        Workers workers = new Workers(1);
        DeviceLinearAttention attention =
            new DeviceLinearAttention(
                device, DeviceForm.CONSTANT, shape, new double[1], workers, "")) {
      attention.timeLaunches();
      LinearTensors inputs =
          LinearTensors.of(arena.matrix(10, 4), arena.matrix(10, 4), arena.matrix(10, 4));
      attention.forward(inputs, Documents.one(10, 0), arena.matrix(10, 4));
      LaunchTime time = attention.takeLaunchTime();
      assertThat(time.nanoseconds()).isPositive();
      assertThat(time.withTransfers()).isPositive();
    }
  }

  @Test
  void shouldRefuseAnAttentionWithoutItsGates() {
    AttentionShape shape = new AttentionShape(1, 4, 4);
    try (Arena arena = new Arena("of a test", Precision.FLOAT);
        Workers workers = new Workers(1);
        LinearAttention attention =
            new DeviceLinearAttention(device, DeviceForm.HEAD_GATES, shape, null, workers, "")) {
      LinearTensors inputs =
          LinearTensors.of(arena.matrix(10, 4), arena.matrix(10, 4), arena.matrix(10, 4));
      assertThatThrownBy(() -> attention.forward(inputs, Documents.one(10, 0), arena.matrix(10, 4)))
          .hasMessage("An attention with gates needs gates");
    }
  }

  private static void assertEqualsRecurrence(
      AttentionShape shape, Documents documents, double strength, int... cuts) {
    for (LinearRule rule :
        List.of(LinearRule.CONSTANT, LinearRule.SCALAR_GATE, LinearRule.VECTOR_GATE)) {
      AttentionCase problem = AttentionCase.random(1, rule, shape, strength, documents);
      AttentionRanks.of(problem, Precision.FLOAT, 64)
          .withKernel(workers -> on(problem, workers))
          .run(cuts)
          .assertEquals(
              AttentionRecurrence.of(problem),
              strength < STRONGEST ? TOLERANCE : OF_STRONGEST_GATES,
              rule + ", cut at " + Arrays.toString(cuts),
              documents.tokens(),
              cuts);
    }
  }

  private static LinearAttention on(AttentionCase problem, Workers workers) {
    DeviceForm form =
        switch (problem.rule()) {
          case CONSTANT -> DeviceForm.CONSTANT;
          case SCALAR_GATE -> DeviceForm.of(GateWidth.SCALAR);
          case VECTOR_GATE -> DeviceForm.of(GateWidth.VECTOR);
          case DELTA -> throw new IllegalArgumentException("No form of the delta rule");
        };
    return new DeviceLinearAttention(device, form, problem.shape(), problem.slopes(), workers, "");
  }
}
