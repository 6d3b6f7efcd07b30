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
import org.longspan.datapipeline.InvalidInputException;
import org.longspan.executors.kernel.AttentionResult.Tolerance;
import org.longspan.executors.layer.LinearRule;
import org.longspan.executors.memory.Arena;
import org.longspan.executors.memory.Precision;
import org.longspan.executors.opencl.KernelLauncher;
import org.longspan.executors.opencl.LaunchLimits;
import org.longspan.executors.opencl.LaunchShape;
import org.longspan.executors.opencl.LaunchTime;
import org.longspan.executors.opencl.OpenClDevices;

/** The work-group form of each recurrence, on whatever OpenCL device there is. */
class DeviceLinearAttentionTest {
  private static final Tolerance TOLERANCE = new Tolerance(1e-5, 1e-5);
  private static final Tolerance IN_HALVES = new Tolerance(1e-2, 1e-2);

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

  @ParameterizedTest
  @EnumSource(DeviceForm.class)
  void shouldLaunchInPartsWhatExceedsALimit(DeviceForm form) {
    AttentionShape shape = new AttentionShape(5, 16, 16);
    Documents documents = new Documents(100, new int[] {0, 30}, 0);
    AttentionCase problem = AttentionCase.random(1, rule(form), shape, 0.2, documents);
    LinearRoom ofTwoHeads = new LinearRoom(100, 3, 2, 16, 16, form.gateWidth(16), false);
    LaunchLimits memory = new LaunchLimits(ofTwoHeads.largestBytes(), Double.MAX_VALUE);
    LaunchLimits time = new LaunchLimits(Integer.MAX_VALUE, ofTwoHeads.operations());
    assertThat(launches(problem, form, LaunchLimits.of(device))).isEqualTo(1);
    for (LaunchLimits limits : List.of(memory, time)) {
      assertThat(launches(problem, form, limits)).isEqualTo(3);
      AttentionRanks.of(problem, Precision.FLOAT, 64)
          .withKernel(workers -> limited(problem, form, limits, workers))
          .run()
          .assertEquals(
              AttentionRecurrence.of(problem), TOLERANCE, form + " within " + limits, 100);
    }
  }

  @Test
  void shouldRefuseAHeadThatExceedsTheLimitOfMemory() {
    AttentionShape shape = new AttentionShape(2, 16, 16);
    AttentionCase problem =
        AttentionCase.random(1, LinearRule.CONSTANT, shape, 0.2, Documents.one(100, 0));
    assertThatThrownBy(
            () -> launches(problem, DeviceForm.CONSTANT, new LaunchLimits(1000, Double.MAX_VALUE)))
        .isInstanceOf(InvalidInputException.class)
        .hasMessageContaining("use more sequence ranks");
  }

  @ParameterizedTest
  @EnumSource(DeviceForm.class)
  void shouldEqualTheRecurrenceAboutInHalves(DeviceForm form) {
    assertIsAboutTheRecurrence(form, new AttentionShape(2, 16, 16), Documents.one(200, 7), 90);
    assertIsAboutTheRecurrence(form, new AttentionShape(3, 5, 9), Documents.one(65, 0));
    assertIsAboutTheRecurrence(form, new AttentionShape(1, 130, 140), Documents.one(70, 0), 33);
    assertIsAboutTheRecurrence(
        form,
        new AttentionShape(2, 7, 3),
        new Documents(150, new int[] {0, 40, 64, 130}, 0),
        50,
        100);
  }

  private static void assertIsAboutTheRecurrence(
      DeviceForm form, AttentionShape shape, Documents documents, int... cuts) {
    AttentionCase problem = AttentionCase.random(1, rule(form), shape, 0.2, documents);
    AttentionResult result =
        AttentionRanks.of(problem, Precision.FLOAT, 64)
            .withKernel(
                workers ->
                    new DeviceLinearAttention(
                        device,
                        form,
                        shape,
                        Storage.BF16,
                        LaunchLimits.of(device),
                        problem.slopes(),
                        workers,
                        ""))
            .run(cuts);
    result.assertEquals(
        AttentionRecurrence.of(problem), IN_HALVES, form + " in halves", documents.tokens(), cuts);
    // It does not fall back to whole floats.
    assertThatThrownBy(
            () ->
                result.assertEquals(
                    AttentionRecurrence.of(problem), TOLERANCE, "", documents.tokens(), cuts))
        .isInstanceOf(AssertionError.class);
  }

  private static int launches(AttentionCase problem, DeviceForm form, LaunchLimits limits) {
    int tokens = problem.documents().tokens();
    try (Arena arena = new Arena("of a test", Precision.FLOAT);
        Workers workers = new Workers(1);
        DeviceLinearAttention attention = limited(problem, form, limits, workers)) {
      attention.timeLaunches();
      AttentionShape shape = problem.shape();
      int gates = form.gateWidth(shape.keyWidth());
      attention.forward(
          new LinearTensors(
              arena.matrix(tokens, shape.keyColumns()),
              arena.matrix(tokens, shape.keyColumns()),
              arena.matrix(tokens, shape.valueColumns()),
              gates == 0 ? null : arena.matrix(tokens, shape.heads() * gates),
              null),
          problem.documents(),
          arena.matrix(tokens, shape.valueColumns()));
      return attention.takeLaunchTime().launches();
    }
  }

  private static DeviceLinearAttention limited(
      AttentionCase problem, DeviceForm form, LaunchLimits limits, Workers workers) {
    return new DeviceLinearAttention(
        device, form, problem.shape(), Storage.FLOAT, limits, problem.slopes(), workers, "");
  }

  private static LinearRule rule(DeviceForm form) {
    return switch (form) {
      case CONSTANT -> LinearRule.CONSTANT;
      case HEAD_GATES -> LinearRule.SCALAR_GATE;
      case KEY_GATES -> LinearRule.VECTOR_GATE;
    };
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
