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
import org.longspan.executors.kernel.AttentionResult.Part;
import org.longspan.executors.kernel.AttentionResult.Tolerance;
import org.longspan.executors.layer.LinearRule;
import org.longspan.executors.memory.Arena;
import org.longspan.executors.memory.Precision;
import org.longspan.executors.opencl.KernelLauncher;
import org.longspan.executors.opencl.LaunchLimits;
import org.longspan.executors.opencl.LaunchShape;
import org.longspan.executors.opencl.LaunchTime;
import org.longspan.executors.opencl.OpenClDevices;

/** What every form of the gated delta rule on an OpenCL device does. */
abstract class DeltaAttentionContract {
  private static final Tolerance TOLERANCE = new Tolerance(1e-5, 1e-5);
  private static final Tolerance IN_HALVES = new Tolerance(1e-2, 1e-2);

  private final LinearForm form;

  DeltaAttentionContract(LinearForm form) {
    this.form = form;
  }

  private static OpenCLDevice device() {
    return OpenClDevices.best().orElseThrow();
  }

  @ParameterizedTest
  @CsvSource({"1,1", "3,5", "16,16", "64,65", "130,20", "20,130", "256,16", "256,256"})
  void shouldEqualTheRecurrenceAtAnyWidth(int keyWidth, int valueWidth) {
    assertEqualsRecurrence(new AttentionShape(2, keyWidth, valueWidth), Documents.one(70, 7), 0.2);
  }

  @ParameterizedTest
  @ValueSource(ints = {0, 1, 15, 16, 17, 63, 64, 65, 200, 1100})
  void shouldEqualTheRecurrenceAtAnyLength(int tokens) {
    assertEqualsRecurrence(new AttentionShape(2, 9, 4), Documents.one(tokens, 1), 0.2);
  }

  @ParameterizedTest
  @ValueSource(doubles = {1.0 / 256, 1.0 / 16, 1, 16, 1000})
  void shouldEqualTheRecurrenceUnderStrongAndWeakGates(double strength) {
    assertEqualsRecurrence(new AttentionShape(4, 8, 6), Documents.one(300, 3), strength);
  }

  @ParameterizedTest
  @ValueSource(doubles = {0, 1e-30, 1, 1.5, 1.999})
  void shouldEqualTheRecurrenceAtEveryBeta(double beta) {
    AttentionShape shape = new AttentionShape(2, 16, 12);
    assertEqualsRecurrence(
        random(shape, Documents.one(300, 3), 1.0 / 64).mapped(Input.BETA, any -> beta));
  }

  @Test
  void shouldEqualTheRecurrenceForKeysOfAnyNorm() {
    AttentionShape shape = new AttentionShape(2, 7, 6);
    AttentionCase problem =
        random(shape, Documents.one(200, 3), 1.0 / 16)
            .mapped(Input.K, number -> 1.3 * number)
            .mapped(Input.Q, number -> 0.4 * number);
    assertEqualsRecurrence(problem, 70);
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
  void shouldIgnoreTheFirstGateOfADocument() {
    int[] starts = {0, 64, 130};
    AttentionCase problem =
        random(new AttentionShape(2, 8, 8), new Documents(200, starts, 0), 1.0 / 16);
    double[] gates = problem.get(Input.GATES).clone();
    for (int start : starts) {
      Arrays.fill(gates, 2 * start, 2 * start + 2, Double.NaN);
    }
    AttentionResult result = run(problem, 100);
    AttentionResult other = run(problem.with(Input.GATES, gates), 100);
    for (Part part : Part.values()) {
      assertThat(other.get(part)).as(part.name()).isEqualTo(result.get(part));
    }
    for (int start : starts) {
      assertThat(result.get(Part.DGATES)[2 * start]).isZero();
    }
  }

  @Test
  void shouldEqualOneSliceWhenCutOverRanks() {
    Documents documents = new Documents(300, new int[] {0, 40, 64, 210, 290}, 0);
    AttentionShape shape = new AttentionShape(2, 8, 5);
    assertEqualsRecurrence(shape, documents, 0.1, 64, 128, 192, 256);
    assertEqualsRecurrence(shape, documents, 0.1, 100, 100, 300);
    assertEqualsRecurrence(shape, Documents.one(300, 0), 0.01, 64, 130, 131);
    assertEqualsRecurrence(new AttentionShape(1, 40, 70), Documents.one(300, 9), 0.01, 100, 200);
  }

  @ParameterizedTest
  @CsvSource({"1,1", "3,5", "16,16", "64,65", "130,20", "20,130", "256,16", "256,256"})
  void shouldEqualTheRecurrenceAboutInHalvesAtAnyWidth(int keyWidth, int valueWidth) {
    AttentionShape shape = new AttentionShape(2, keyWidth, valueWidth);
    assertIsAboutTheRecurrence(random(shape, Documents.one(70, 7), 0.2), 33);
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 63, 64, 65, 1100})
  void shouldEqualTheRecurrenceAboutInHalvesAtAnyLength(int tokens) {
    assertIsAboutTheRecurrence(
        random(new AttentionShape(2, 9, 4), Documents.one(tokens, 1), 1.0 / 16));
  }

  @ParameterizedTest
  @ValueSource(doubles = {1.0 / 256, 1, 16, 1000})
  void shouldEqualTheRecurrenceAboutInHalvesUnderStrongAndWeakGates(double strength) {
    assertIsAboutTheRecurrence(
        random(new AttentionShape(4, 8, 6), Documents.one(300, 3), strength), 100);
  }

  @Test
  void shouldEqualTheRecurrenceAboutInHalvesWhenCutOverRanks() {
    AttentionShape shape = new AttentionShape(2, 7, 3);
    Documents documents = new Documents(300, new int[] {0, 40, 64, 210, 290}, 0);
    assertIsAboutTheRecurrence(random(shape, documents, 0.1), 64, 128, 192, 256);
    assertIsAboutTheRecurrence(random(shape, documents, 0.1), 100, 100, 300);
    assertIsAboutTheRecurrence(random(shape, Documents.one(300, 0), 0.01), 64, 130, 131);
  }

  @ParameterizedTest
  @EnumSource(Storage.class)
  void shouldRunOnTheDevice(Storage storage) {
    LinearRoom room = new LinearRoom(DeviceRule.DELTA, form, 1, 1, 1, 16, 16, false, storage);
    LinearKernel kernel = room.plan().kernel(room);
    kernel.use(1, 1, 1);
    kernel.starts[1] = 1;
    List<Integer> stages = room.plan().stages().forward();
    for (int pass = 0; pass < stages.size(); pass++) {
      kernel.stages[pass] = stages.get(pass);
    }
    put(kernel.keyInputs(), 0, 2);
    put(kernel.keyInputs(), 16, 1);
    put(kernel.valueInputs(), 0, 5);
    kernel.betas[0] = 0.5f;
    kernel.before[0] = 3;
    for (int i = 0; i < 16; i++) {
      put(kernel.valueResults(), i, Float.NaN);
    }
    Arrays.fill(kernel.passed, Float.NaN);
    try (KernelLauncher<LinearKernel> launcher = KernelLauncher.of(device(), kernel)) {
      launcher.launch(
          new LaunchShape(kernel.groups(), kernel.groupSize(), stages.size()),
          List.of(
              kernel.stages,
              kernel.starts,
              kernel.fresh,
              kernel.gates,
              kernel.betas,
              kernel.keyInputs(),
              kernel.valueInputs(),
              kernel.before),
          List.of(kernel.valueResults(), kernel.passed));
      assertThat(kernel.isRunningCL()).isTrue();
      assertThat(kernel.getProfileReportCurrentThread(device()).get().getKernelClass())
          .isEqualTo(kernel.getClass());
    }
    assertThat(get(kernel.valueResults(), 0)).isEqualTo(8f);
    for (int i = 1; i < 16; i++) {
      assertThat(get(kernel.valueResults(), i)).isZero();
    }
    assertThat(kernel.passed[0]).isEqualTo(4f);
  }

  private static void put(Object array, int index, float number) {
    if (array instanceof float[] numbers) {
      numbers[index] = number;
    } else {
      ((char[]) array)[index] = Bfloat.of(number);
    }
  }

  private static float get(Object array, int index) {
    return array instanceof float[] numbers
        ? numbers[index]
        : Bfloat.toFloat(((char[]) array)[index]);
  }

  @Test
  void shouldSayOnWhichDeviceItKeepsHalves() {
    try (Workers workers = new Workers(1);
        LinearAttention attention =
            Kernels.delta(
                KernelChoice.APARAPI_BF16,
                Precision.FLOAT,
                new AttentionShape(1, 2, 2),
                64,
                workers)) {
      assertThat(attention.description())
          .isEqualTo("aparapi in bf16 on " + OpenClDevices.name(device()));
    }
  }

  @Test
  void shouldTimeLaunchesWhenAsked() {
    AttentionShape shape = new AttentionShape(1, 4, 4);
    try (Arena arena = new Arena("of a test", Precision.FLOAT);
        Workers workers = new Workers(1);
        DeviceDeltaAttention attention = of(shape, LaunchLimits.of(device()), workers)) {
      attention.timeLaunches();
      LinearTensors inputs =
          new LinearTensors(
              arena.matrix(10, 4),
              arena.matrix(10, 4),
              arena.matrix(10, 4),
              arena.matrix(10, 1),
              arena.matrix(10, 1));
      attention.forward(inputs, Documents.one(10, 0), arena.matrix(10, 4));
      LaunchTime time = attention.takeLaunchTime();
      assertThat(time.nanoseconds()).isPositive();
      assertThat(time.withTransfers()).isPositive();
    }
  }

  @Test
  void shouldRefuseAnAttentionWithoutItsBetas() {
    AttentionShape shape = new AttentionShape(1, 4, 4);
    try (Arena arena = new Arena("of a test", Precision.FLOAT);
        Workers workers = new Workers(1);
        LinearAttention attention = of(shape, LaunchLimits.of(device()), workers)) {
      LinearTensors inputs =
          new LinearTensors(
              arena.matrix(10, 4),
              arena.matrix(10, 4),
              arena.matrix(10, 4),
              arena.matrix(10, 1),
              null);
      assertThatThrownBy(() -> attention.forward(inputs, Documents.one(10, 0), arena.matrix(10, 4)))
          .hasMessage("The delta rule needs beta");
    }
  }

  @Test
  void shouldLaunchInPartsWhatExceedsALimit() {
    AttentionCase problem =
        random(new AttentionShape(5, 16, 16), new Documents(300, new int[] {0, 30}, 0), 0.2);
    LinearRoom ofTwoHeads =
        new LinearRoom(
            DeviceRule.DELTA, form, 300, chunks(problem), 2, 16, 16, false, Storage.FLOAT);
    LaunchLimits memory = new LaunchLimits(ofTwoHeads.largestBytes(), Double.MAX_VALUE);
    LaunchLimits time = new LaunchLimits(Integer.MAX_VALUE, ofTwoHeads.operations());
    assertThat(launches(problem, LaunchLimits.of(device()))).isEqualTo(1);
    for (LaunchLimits limits : List.of(memory, time)) {
      assertThat(launches(problem, limits)).isEqualTo(3);
      AttentionRanks.of(problem, Precision.FLOAT, DeltaKernel.CHUNK)
          .withKernel(workers -> of(problem.shape(), limits, workers))
          .run()
          .assertEquals(AttentionRecurrence.of(problem), TOLERANCE, "within " + limits, 300);
    }
    assertThatThrownBy(() -> launches(problem, new LaunchLimits(1000, Double.MAX_VALUE)))
        .isInstanceOf(InvalidInputException.class)
        .hasMessageContaining("use more sequence ranks");
  }

  private int chunks(AttentionCase problem) {
    ChunkGrid grid = new ChunkGrid(DeviceRule.DELTA.plan(form).chunk());
    grid.plan(problem.documents());
    return grid.count();
  }

  private int launches(AttentionCase problem, LaunchLimits limits) {
    AttentionShape shape = problem.shape();
    int tokens = problem.documents().tokens();
    try (Arena arena = new Arena("of a test", Precision.FLOAT);
        Workers workers = new Workers(1);
        DeviceDeltaAttention attention = of(shape, limits, workers)) {
      attention.timeLaunches();
      attention.forward(
          new LinearTensors(
              arena.matrix(tokens, shape.keyColumns()),
              arena.matrix(tokens, shape.keyColumns()),
              arena.matrix(tokens, shape.valueColumns()),
              arena.matrix(tokens, shape.heads()),
              arena.matrix(tokens, shape.heads())),
          problem.documents(),
          arena.matrix(tokens, shape.valueColumns()));
      return attention.takeLaunchTime().launches();
    }
  }

  private DeviceDeltaAttention of(AttentionShape shape, LaunchLimits limits, Workers workers) {
    return new DeviceDeltaAttention(device(), form, shape, Storage.FLOAT, limits, workers, "");
  }

  private static AttentionCase random(AttentionShape shape, Documents documents, double strength) {
    return AttentionCase.random(1, LinearRule.DELTA, shape, strength, documents);
  }

  private void assertEqualsRecurrence(
      AttentionShape shape, Documents documents, double strength, int... cuts) {
    assertEqualsRecurrence(random(shape, documents, strength), cuts);
  }

  private void assertEqualsRecurrence(AttentionCase problem, int... cuts) {
    run(problem, cuts)
        .assertEquals(
            AttentionRecurrence.of(problem),
            TOLERANCE,
            problem.documents() + ", cut at " + Arrays.toString(cuts),
            problem.documents().tokens(),
            cuts);
  }

  private AttentionResult run(AttentionCase problem, int... cuts) {
    return AttentionRanks.of(problem, Precision.FLOAT, DeltaKernel.CHUNK)
        .withKernel(workers -> of(problem.shape(), LaunchLimits.of(device()), workers))
        .run(cuts);
  }

  private void assertIsAboutTheRecurrence(AttentionCase problem, int... cuts) {
    int tokens = problem.documents().tokens();
    AttentionResult result =
        AttentionRanks.of(problem, Precision.FLOAT, DeltaKernel.CHUNK)
            .withKernel(
                workers ->
                    new DeviceDeltaAttention(
                        device(),
                        form,
                        problem.shape(),
                        Storage.BF16,
                        LaunchLimits.of(device()),
                        workers,
                        ""))
            .run(cuts);
    AttentionResult expected = AttentionRecurrence.of(problem);
    result.assertEquals(expected, IN_HALVES, problem.documents() + " in halves", tokens, cuts);
    // It does not fall back to whole floats.
    assertThatThrownBy(() -> result.assertEquals(expected, TOLERANCE, "", tokens, cuts))
        .isInstanceOf(AssertionError.class);
  }
}
