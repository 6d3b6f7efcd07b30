package org.longspan.executors.kernel;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.aparapi.device.OpenCLDevice;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.longspan.datapipeline.InvalidInputException;
import org.longspan.executors.kernel.AttentionCase.Input;
import org.longspan.executors.kernel.AttentionResult.Tolerance;
import org.longspan.executors.layer.LinearRule;
import org.longspan.executors.memory.Arena;
import org.longspan.executors.memory.Precision;
import org.longspan.executors.opencl.KernelLauncher;
import org.longspan.executors.opencl.LaunchLimits;
import org.longspan.executors.opencl.LaunchShape;
import org.longspan.executors.opencl.LaunchTime;
import org.longspan.executors.opencl.OpenClDevices;

/** What every form of linear attention with decays on an OpenCL device does. */
abstract class DecayedAttentionContract {
  private static final Tolerance TOLERANCE = new Tolerance(1e-5, 1e-5);
  private static final Tolerance IN_HALVES = new Tolerance(1e-2, 1e-2);
  private static final double STRONGEST = 1000;

  private final LinearForm form;
  private final Tolerance ofStrongestGates;

  /**
   * @param ofStrongestGates for logs of gates down to −1,000
   */
  DecayedAttentionContract(LinearForm form, Tolerance ofStrongestGates) {
    this.form = form;
    this.ofStrongestGates = ofStrongestGates;
  }

  private static OpenCLDevice device() {
    return OpenClDevices.best().orElseThrow();
  }

  @ParameterizedTest
  @CsvSource({"1,1", "3,5", "16,16", "64,65", "130,20", "20,130", "256,16", "16,256", "255,129"})
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

  /** A decay that lies halfway between two floats next to 1 is rounded by as much at each token. */
  @Test
  void shouldRememberOverManyTokensWhatHardlyDecays() {
    double slope = 167.5 / (1 << 24);
    AttentionShape shape = new AttentionShape(1, 4, 4);
    Documents documents = Documents.one(4000, 7);
    for (LinearRule rule :
        List.of(LinearRule.CONSTANT, LinearRule.SCALAR_GATE, LinearRule.VECTOR_GATE)) {
      AttentionCase problem =
          AttentionCase.random(1, rule, shape, 1, documents)
              .withSlopes(new double[] {slope})
              .mapped(Input.GATES, any -> (float) -slope);
      assertEqualsRecurrence(problem, TOLERANCE, 1000);
    }
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
  @EnumSource(value = DeviceRule.class, names = "DELTA", mode = EnumSource.Mode.EXCLUDE)
  void shouldRunOnTheDevice(DeviceRule rule) {
    LinearRoom room = new LinearRoom(rule, form, 1, 1, 1, 16, 16, false, Storage.FLOAT);
    List<Integer> stages = room.plan().stages().forward();
    LinearKernel kernel = room.plan().kernel(room);
    kernel.use(1, 1, 1);
    kernel.starts[1] = 1;
    for (int pass = 0; pass < stages.size(); pass++) {
      kernel.stages[pass] = stages.get(pass);
    }
    kernel.factors[0] = 1;
    kernel.keySide[0] = 2;
    kernel.keySide[16] = 3;
    kernel.valueSide[0] = 5;
    Arrays.fill(kernel.valueOutputs, Float.NaN);
    try (KernelLauncher<LinearKernel> launcher = KernelLauncher.of(device(), kernel)) {
      launcher.launch(
          new LaunchShape(kernel.groups(), kernel.groupSize(), stages.size()),
          List.of(
              kernel.stages,
              kernel.starts,
              kernel.fresh,
              kernel.slopes,
              kernel.factors,
              kernel.gates,
              kernel.keySide,
              kernel.valueSide,
              kernel.before),
          List.of(kernel.valueOutputs, kernel.passed));
      assertThat(kernel.isRunningCL()).isTrue();
      assertThat(kernel.getProfileReportCurrentThread(device()).get().getKernelClass())
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
            of(
                DeviceRule.CONSTANT,
                shape,
                Storage.FLOAT,
                LaunchLimits.of(device()),
                new double[1],
                workers)) {
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
  @EnumSource(value = DeviceRule.class, names = "DELTA", mode = EnumSource.Mode.EXCLUDE)
  void shouldLaunchInPartsWhatExceedsALimit(DeviceRule rule) {
    AttentionShape shape = new AttentionShape(5, 16, 16);
    Documents documents = new Documents(300, new int[] {0, 30}, 0);
    AttentionCase problem = AttentionCase.random(1, ofRecurrence(rule), shape, 0.2, documents);
    LinearRoom ofTwoHeads =
        new LinearRoom(rule, form, 300, chunks(documents), 2, 16, 16, false, Storage.FLOAT);
    LaunchLimits memory = new LaunchLimits(ofTwoHeads.largestBytes(), Double.MAX_VALUE);
    LaunchLimits time = new LaunchLimits(Integer.MAX_VALUE, ofTwoHeads.operations());
    assertThat(launches(problem, rule, LaunchLimits.of(device()))).isEqualTo(1);
    for (LaunchLimits limits : List.of(memory, time)) {
      assertThat(launches(problem, rule, limits)).isEqualTo(3);
      AttentionRanks.of(problem, Precision.FLOAT, 64)
          .withKernel(workers -> limited(problem, rule, limits, workers))
          .run()
          .assertEquals(
              AttentionRecurrence.of(problem), TOLERANCE, rule + " within " + limits, 300);
    }
  }

  @Test
  void shouldRefuseAHeadThatExceedsTheLimitOfMemory() {
    AttentionShape shape = new AttentionShape(2, 16, 16);
    AttentionCase problem =
        AttentionCase.random(1, LinearRule.CONSTANT, shape, 0.2, Documents.one(100, 0));
    assertThatThrownBy(
            () -> launches(problem, DeviceRule.CONSTANT, new LaunchLimits(1000, Double.MAX_VALUE)))
        .isInstanceOf(InvalidInputException.class)
        .hasMessageContaining("use more sequence ranks");
  }

  @ParameterizedTest
  @EnumSource(value = DeviceRule.class, names = "DELTA", mode = EnumSource.Mode.EXCLUDE)
  void shouldEqualTheRecurrenceAboutInHalves(DeviceRule rule) {
    assertIsAboutTheRecurrence(rule, new AttentionShape(2, 16, 16), Documents.one(200, 7), 90);
    assertIsAboutTheRecurrence(rule, new AttentionShape(3, 5, 9), Documents.one(65, 0));
    assertIsAboutTheRecurrence(rule, new AttentionShape(1, 130, 140), Documents.one(70, 0), 33);
    assertIsAboutTheRecurrence(
        rule,
        new AttentionShape(2, 7, 3),
        new Documents(150, new int[] {0, 40, 64, 130}, 0),
        50,
        100);
  }

  private void assertIsAboutTheRecurrence(
      DeviceRule rule, AttentionShape shape, Documents documents, int... cuts) {
    AttentionCase problem = AttentionCase.random(1, ofRecurrence(rule), shape, 0.2, documents);
    AttentionResult result =
        AttentionRanks.of(problem, Precision.FLOAT, 64)
            .withKernel(
                workers ->
                    of(
                        rule,
                        shape,
                        Storage.BF16,
                        LaunchLimits.of(device()),
                        problem.slopes(),
                        workers))
            .run(cuts);
    result.assertEquals(
        AttentionRecurrence.of(problem), IN_HALVES, rule + " in halves", documents.tokens(), cuts);
    // It does not fall back to whole floats.
    assertThatThrownBy(
            () ->
                result.assertEquals(
                    AttentionRecurrence.of(problem), TOLERANCE, "", documents.tokens(), cuts))
        .isInstanceOf(AssertionError.class);
  }

  private int launches(AttentionCase problem, DeviceRule rule, LaunchLimits limits) {
    int tokens = problem.documents().tokens();
    try (Arena arena = new Arena("of a test", Precision.FLOAT);
        Workers workers = new Workers(1);
        DeviceLinearAttention attention = limited(problem, rule, limits, workers)) {
      attention.timeLaunches();
      AttentionShape shape = problem.shape();
      int gates = rule.gateWidth(shape.keyWidth());
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

  private DeviceLinearAttention limited(
      AttentionCase problem, DeviceRule rule, LaunchLimits limits, Workers workers) {
    return of(rule, problem.shape(), Storage.FLOAT, limits, problem.slopes(), workers);
  }

  private DeviceLinearAttention of(
      DeviceRule rule,
      AttentionShape shape,
      Storage storage,
      LaunchLimits limits,
      double[] slopes,
      Workers workers) {
    return new DeviceLinearAttention(
        device(),
        rule,
        form,
        shape,
        storage,
        limits,
        rule == DeviceRule.CONSTANT ? slopes : null,
        workers,
        "");
  }

  private int chunks(Documents documents) {
    ChunkGrid grid = new ChunkGrid(DeviceRule.CONSTANT.plan(form).chunk());
    grid.plan(documents);
    return grid.count();
  }

  private static LinearRule ofRecurrence(DeviceRule rule) {
    return switch (rule) {
      case CONSTANT -> LinearRule.CONSTANT;
      case HEAD_GATES -> LinearRule.SCALAR_GATE;
      case KEY_GATES -> LinearRule.VECTOR_GATE;
      case DELTA -> throw new IllegalArgumentException("The delta rule has a test of its own");
    };
  }

  @Test
  void shouldRefuseAnAttentionWithoutItsGates() {
    AttentionShape shape = new AttentionShape(1, 4, 4);
    try (Arena arena = new Arena("of a test", Precision.FLOAT);
        Workers workers = new Workers(1);
        LinearAttention attention =
            of(
                DeviceRule.HEAD_GATES,
                shape,
                Storage.FLOAT,
                LaunchLimits.of(device()),
                null,
                workers)) {
      LinearTensors inputs =
          LinearTensors.of(arena.matrix(10, 4), arena.matrix(10, 4), arena.matrix(10, 4));
      assertThatThrownBy(() -> attention.forward(inputs, Documents.one(10, 0), arena.matrix(10, 4)))
          .hasMessage("An attention with gates needs gates");
    }
  }

  private void assertEqualsRecurrence(
      AttentionShape shape, Documents documents, double strength, int... cuts) {
    for (LinearRule rule :
        List.of(LinearRule.CONSTANT, LinearRule.SCALAR_GATE, LinearRule.VECTOR_GATE)) {
      AttentionCase problem = AttentionCase.random(1, rule, shape, strength, documents);
      assertEqualsRecurrence(problem, strength < STRONGEST ? TOLERANCE : ofStrongestGates, cuts);
    }
  }

  private void assertEqualsRecurrence(AttentionCase problem, Tolerance tolerance, int... cuts) {
    AttentionRanks.of(problem, Precision.FLOAT, 64)
        .withKernel(workers -> on(problem, workers))
        .run(cuts)
        .assertEquals(
            AttentionRecurrence.of(problem),
            tolerance,
            problem.rule() + ", cut at " + Arrays.toString(cuts),
            problem.documents().tokens(),
            cuts);
  }

  private LinearAttention on(AttentionCase problem, Workers workers) {
    DeviceRule rule =
        switch (problem.rule()) {
          case CONSTANT -> DeviceRule.CONSTANT;
          case SCALAR_GATE -> DeviceRule.of(GateWidth.SCALAR);
          case VECTOR_GATE -> DeviceRule.of(GateWidth.VECTOR);
          case DELTA -> throw new IllegalArgumentException("The delta rule has a test of its own");
        };
    return limited(problem, rule, LaunchLimits.of(device()), workers);
  }
}
