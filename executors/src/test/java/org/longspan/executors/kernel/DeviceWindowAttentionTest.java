package org.longspan.executors.kernel;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeFalse;

import com.aparapi.device.OpenCLDevice;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.longspan.datapipeline.InvalidInputException;
import org.longspan.executors.memory.Arena;
import org.longspan.executors.memory.Matrix;
import org.longspan.executors.memory.Precision;
import org.longspan.executors.opencl.DeviceTimed;
import org.longspan.executors.opencl.KernelLauncher;
import org.longspan.executors.opencl.LaunchLimits;
import org.longspan.executors.opencl.LaunchTime;
import org.longspan.executors.opencl.OpenClDevices;

class DeviceWindowAttentionTest {
  private static final double BOUND = 1e-5;

  @Test
  void shouldRefuseDouble() {
    try (Workers workers = new Workers(1)) {
      assertThatThrownBy(
              () ->
                  Kernels.window(
                      KernelChoice.APARAPI,
                      Precision.DOUBLE,
                      new AttentionShape(1, 2, 2),
                      4,
                      workers))
          .isInstanceOf(InvalidInputException.class)
          .hasMessageContaining("kernel: aparapi computes in float only");
    }
  }

  @Nested
  class OnADevice {
    @BeforeAll
    static void shouldHaveADevice() {
      assumeFalse(
          OpenClDevices.all().isEmpty(), "no OpenCL device on this machine: Aparapi is not tested");
    }

    @ParameterizedTest
    @CsvSource({
      "1,1", "3,5", "5,3", "64,65", "65,64", "127,129", "192,128", "128,192", "255,256", "256,255"
    })
    void shouldEqualSoftmaxAtAnyWidth(int keyWidth, int valueWidth) {
      assertEqualsReference(
          new AttentionShape(2, keyWidth, valueWidth), Documents.one(150, 0), 40, 0);
    }

    @ParameterizedTest
    @CsvSource({
      "1,1",
      "1,200",
      "2,2",
      "63,64",
      "64,64",
      "65,64",
      "128,65",
      "200,1",
      "200,63",
      "200,65",
      "200,200",
      "300,2147483647"
    })
    void shouldEqualSoftmaxAtAnyLengthAndWindow(int tokens, int window) {
      assertEqualsReference(new AttentionShape(2, 8, 4), Documents.one(tokens, 0), window, 0);
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2, 30, 64, 100, 400})
    void shouldStopAtDocumentsAndReachOverRanks(int window) {
      Documents documents = new Documents(300, new int[] {0, 1, 40, 64, 150, 151, 290}, 0);
      AttentionShape shape = new AttentionShape(2, 7, 9);
      assertEqualsReference(shape, documents, window, 0);
      assertEqualsReference(shape, documents, window, 0, 100, 120, 155, 230);
      assertEqualsReference(shape, documents, window, 20, 64, 64, 128, 256);
      assertEqualsReference(shape, Documents.one(300, 0), window, 0, 10, 20, 150, 299);
    }

    @ParameterizedTest
    @EnumSource(SoftmaxForm.class)
    void shouldGiveTheSameBitsInPieces(SoftmaxForm form) {
      AttentionShape shape = new AttentionShape(2, 8, 8);
      Documents documents = new Documents(200, new int[] {77}, 3);
      try (Workers workers = new Workers(2);
          WindowAttention attention = of(form, shape, 50, workers);
          Arena arena = new Arena("test", Precision.FLOAT)) {
        WindowReference reference = new WindowReference(3, shape, Documents.one(203, 0), 50);
        Matrix k = Matrices.filled(arena, reference.k, 0, 203, 16);
        Matrix v = Matrices.filled(arena, reference.v, 0, 203, 16);
        Matrix q = Matrices.filled(arena, reference.q, 3, 200, 16);
        Matrix whole = Matrices.poisoned(arena, 200, 16);
        Matrix pieces = Matrices.poisoned(arena, 200, 16);
        Matrix logSums = Matrices.poisoned(arena, 200, 2);
        attention.forward(q, k, v, documents, 0, 200, whole, logSums);
        attention.forward(q, k, v, documents, 49, 200, pieces, logSums);
        attention.forward(q, k, v, documents, 0, 49, pieces, logSums);
        attention.forward(q, k, v, documents, 49, 49, pieces, logSums);
        assertThat(Matrices.numbers(pieces)).containsExactly(Matrices.numbers(whole));
      }
    }

    @ParameterizedTest
    @EnumSource(SoftmaxForm.class)
    void shouldNoticeMistakes(SoftmaxForm form) {
      AttentionShape shape = new AttentionShape(2, 8, 8);
      WindowReference right = new WindowReference(1, shape, Documents.one(150, 0), 40);
      WindowReference wider = new WindowReference(1, shape, Documents.one(150, 0), 41);
      run(form, right, 40, 0);
      assertThatThrownBy(() -> run(form, wider, 40, 0)).isInstanceOf(AssertionError.class);
      assertThatThrownBy(() -> run(form, right, 39, 0, 70)).isInstanceOf(AssertionError.class);
    }

    @ParameterizedTest
    @EnumSource(SoftmaxForm.class)
    void shouldRunOnTheDevice(SoftmaxForm form) {
      OpenCLDevice device = OpenClDevices.best().orElseThrow();
      SoftmaxRoom room =
          new SoftmaxRoom(1, 1, 1, SoftmaxKernel.PAD, SoftmaxKernel.PAD, Storage.FLOAT);
      SoftmaxForwardKernel forward = form.forward(room);
      forward.heads = 1;
      forward.keyWidth = SoftmaxKernel.PAD;
      forward.valueWidth = SoftmaxKernel.PAD;
      forward.rows = 1;
      forward.columns = 1;
      forward.queries[0] = 2;
      forward.keys[0] = 3;
      forward.values[0] = 5;
      forward.ends[0] = 1;
      forward.outputs[0] = Float.NaN;
      forward.logSums[0] = Float.NaN;
      try (KernelLauncher<SoftmaxForwardKernel> launcher = KernelLauncher.of(device, forward)) {
        launcher.launch(
            forward.launchShape(), forward.inputs(), List.of(forward.outputs, forward.logSums));
        assertThat(forward.isRunningCL()).isTrue();
        assertThat(forward.getProfileReportCurrentThread(device).get().getKernelClass())
            .isEqualTo(forward.getClass());
        assertThat(forward.outputs[0]).isEqualTo(5f);
        assertThat(forward.logSums[0]).isEqualTo(6f);
      }
      SoftmaxGradientKernel gradient = form.gradient(room);
      gradient.heads = 1;
      gradient.keyWidth = SoftmaxKernel.PAD;
      gradient.valueWidth = SoftmaxKernel.PAD;
      gradient.rows = 1;
      gradient.columns = 1;
      gradient.logSums[0] = (float) -Math.log(2);
      gradient.values[0] = 5;
      gradient.outputGradients[0] = 7;
      gradient.ends[0] = 1;
      gradient.highest[0] = 1;
      gradient.keys[0] = 3;
      try (KernelLauncher<SoftmaxGradientKernel> launcher = KernelLauncher.of(device, gradient)) {
        launcher.launch(gradient.launchShape(), gradient.inputs(), gradient.gradients());
        assertThat(gradient.isRunningCL()).isTrue();
        assertThat(gradient.valueGradients[0]).isEqualTo(14f);
        assertThat(gradient.queryGradients[0]).isEqualTo(2f * 35 * 3);
        assertThat(gradient.keyGradients[0]).isZero();
      }
    }

    @Test
    void shouldSayOnWhichDeviceAndHowLong() {
      AttentionShape shape = new AttentionShape(1, 4, 4);
      try (Workers workers = new Workers(1);
          WindowAttention attention =
              Kernels.window(KernelChoice.APARAPI, Precision.FLOAT, shape, 8, workers)) {
        assertThat(attention.description())
            .startsWith("aparapi on ")
            .contains(OpenClDevices.best().orElseThrow().getName().strip());
        DeviceTimed timed = (DeviceTimed) attention;
        timed.timeLaunches();
        WindowReference reference = new WindowReference(1, shape, Documents.one(20, 0), 8);
        WindowSlices.assertEqualReference(attention, reference, 8, 0, BOUND);
        LaunchTime time = timed.takeLaunchTime();
        assertThat(time.nanoseconds()).isPositive();
        assertThat(timed.takeLaunchTime()).isEqualTo(LaunchTime.NONE);
      }
    }

    @ParameterizedTest
    @EnumSource(SoftmaxForm.class)
    void shouldLaunchInPartsWhatExceedsALimit(SoftmaxForm form) {
      OpenCLDevice device = OpenClDevices.best().orElseThrow();
      AttentionShape shape = new AttentionShape(4, 8, 4);
      WindowReference reference = new WindowReference(1, shape, Documents.one(200, 0), 50);
      long bytesOfTwoHeads = new SoftmaxRoom(2, 200, 200, 8, 4, Storage.FLOAT).largestBytes();
      LaunchLimits memory = new LaunchLimits(bytesOfTwoHeads, Double.MAX_VALUE);
      LaunchLimits time = new LaunchLimits(Integer.MAX_VALUE, 1);
      assertThat(launches(form, reference, LaunchLimits.of(device))).isEqualTo(2);
      assertThat(launches(form, reference, memory)).isEqualTo(2 + 2);
      // Tiles of 64 rows forward, single heads backward.
      assertThat(launches(form, reference, time)).isEqualTo(4 + 4);
    }

    private static int launches(SoftmaxForm form, WindowReference reference, LaunchLimits limits) {
      try (Workers workers = new Workers(1);
          DeviceWindowAttention attention =
              new DeviceWindowAttention(
                  OpenClDevices.best().orElseThrow(),
                  form,
                  reference.shape,
                  Storage.FLOAT,
                  limits,
                  50,
                  workers)) {
        attention.timeLaunches();
        WindowSlices.assertEqualReference(attention, reference, 50, 0, BOUND);
        return attention.takeLaunchTime().launches();
      }
    }

    @ParameterizedTest
    @CsvSource({"8,4,50,0", "64,65,64,0", "192,128,1000,0", "7,9,30,100"})
    void shouldEqualSoftmaxAboutInHalves(int keyWidth, int valueWidth, int window, int cut) {
      AttentionShape shape = new AttentionShape(2, keyWidth, valueWidth);
      Documents documents = new Documents(200, new int[] {0, 90}, 0);
      WindowReference reference = new WindowReference(1, shape, documents, window);
      int[] cuts = cut == 0 ? new int[0] : new int[] {cut};
      try (Workers workers = new Workers(1);
          WindowAttention attention =
              Kernels.window(KernelChoice.APARAPI_BF16, Precision.FLOAT, shape, window, workers)) {
        assertThat(attention.description()).startsWith("aparapi in bf16 on ");
        WindowSlices.assertEqualReference(attention, reference, window, 0, 1e-2, cuts);
        assertThatThrownBy(
                () ->
                    WindowSlices.assertEqualReference(attention, reference, window, 0, BOUND, cuts))
            .isInstanceOf(AssertionError.class);
      }
    }

    @Test
    void shouldRefuseHeadsThatAreTooWide() {
      try (Workers workers = new Workers(1)) {
        AttentionShape shape = new AttentionShape(1, 257, 4);
        assertThatThrownBy(
                () -> Kernels.window(KernelChoice.APARAPI, Precision.FLOAT, shape, 8, workers))
            .isInstanceOf(InvalidInputException.class)
            .hasMessageContaining("up to 256 columns, not 257");
      }
    }

    private static void assertEqualsReference(
        AttentionShape shape, Documents documents, int window, int spareHalo, int... cuts) {
      WindowReference reference = new WindowReference(1, shape, documents, window);
      for (SoftmaxForm form : SoftmaxForm.values()) {
        run(form, reference, window, spareHalo, cuts);
      }
    }

    private static void run(
        SoftmaxForm form, WindowReference reference, int window, int spareHalo, int... cuts) {
      try (Workers workers = new Workers(2);
          WindowAttention attention = of(form, reference.shape, window, workers)) {
        WindowSlices.assertEqualReference(attention, reference, window, spareHalo, BOUND, cuts);
      } catch (AssertionError mistake) {
        throw new AssertionError(form + ", cut at " + Arrays.toString(cuts), mistake);
      }
    }

    private static WindowAttention of(
        SoftmaxForm form, AttentionShape shape, int window, Workers workers) {
      return new DeviceWindowAttention(
          OpenClDevices.best().orElseThrow(), form, shape, window, workers);
    }
  }
}
