package org.longspan.executors.opencl;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeFalse;

import com.aparapi.device.OpenCLDevice;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.longspan.datapipeline.InvalidInputException;

class KernelLauncherTest {
  private static final int ITEMS = 100;

  private OpenCLDevice device;

  /** Doubles its input once more in each pass. */
  private static final class DoublingKernel extends DeviceKernel {
    final float[] input = new float[ITEMS];
    final float[] output = new float[ITEMS];
    final float[] untouched = new float[ITEMS];
    int count;

    @Override
    public void run() {
      int item = getGlobalId();
      if (item < count) {
        if (getPassId() == 0) {
          output[item] = input[item];
        }
        output[item] = 2f * output[item];
        untouched[item] = 1f;
      }
    }
  }

  /** Halves of numbers and back. */
  private static final class HalvingKernel extends DeviceKernel {
    final float[] input = new float[ITEMS];
    final char[] halves = new char[ITEMS];
    final float[] output = new float[ITEMS];

    @Override
    public void run() {
      int item = getGlobalId();
      if (item < ITEMS) {
        halves[item] = (char) narrowed(input[item]);
        output[item] = widened(halves[item]);
      }
    }
  }

  /** Reads an object, which no device can. */
  private static final class ObjectKernel extends DeviceKernel {
    final float[] output = new float[ITEMS];
    final Object[] objects = {"one"};

    @Override
    public void run() {
      output[getGlobalId()] = objects[0].hashCode();
    }
  }

  /** Asks for more local memory than any device has. */
  private static final class GreedyKernel extends DeviceKernel {
    final float[] output = new float[ITEMS];
    @Local final float[] tile = new float[1 << 26];

    @Override
    public void run() {
      tile[getLocalId()] = 1f;
      localBarrier();
      output[getGlobalId()] = tile[0];
    }
  }

  @BeforeEach
  void shouldHaveADevice() {
    assumeFalse(
        OpenClDevices.all().isEmpty(), "no OpenCL device on this machine: launches are not tested");
    device = OpenClDevices.best().orElseThrow();
  }

  @Test
  void shouldCarryInputsAndOutputsOnly() {
    DoublingKernel kernel = new DoublingKernel();
    kernel.count = ITEMS;
    for (int i = 0; i < ITEMS; i++) {
      kernel.input[i] = i;
    }
    Arrays.fill(kernel.output, Float.NaN);
    try (KernelLauncher<DoublingKernel> launcher = KernelLauncher.of(device, kernel)) {
      launcher.launch(
          LaunchShape.covering(ITEMS, 64, 3), List.of(kernel.input), List.of(kernel.output));
    }
    for (int i = 0; i < ITEMS; i++) {
      assertThat(kernel.output[i]).isEqualTo(8f * i);
    }
    assertThat(kernel.untouched).containsOnly(0f);
  }

  @Test
  void shouldRoundToTheNearestHalf() {
    HalvingKernel kernel = new HalvingKernel();
    float[] special = {
      0f,
      -0f,
      Float.NaN,
      Float.POSITIVE_INFINITY,
      Float.NEGATIVE_INFINITY,
      Float.MAX_VALUE,
      Float.intBitsToFloat(0x3f80_7fff),
      Float.intBitsToFloat(0x3f80_8000),
      Float.intBitsToFloat(0x3f80_8001),
      Float.intBitsToFloat(0x3f81_8000),
      Float.intBitsToFloat(0x7fff_ffff)
    };
    int[] halves = {
      0, 0x8000, 0x7fc0, 0x7f80, 0xff80, 0x7f80, 0x3f80, 0x3f80, 0x3f81, 0x3f82, 0x7fc0
    };
    System.arraycopy(special, 0, kernel.input, 0, special.length);
    try (KernelLauncher<HalvingKernel> launcher = KernelLauncher.of(device, kernel)) {
      launcher.launch(
          LaunchShape.covering(ITEMS, 64, 1),
          List.of(kernel.input),
          List.of(kernel.halves, kernel.output));
    }
    for (int i = 0; i < special.length; i++) {
      assertThat((int) kernel.halves[i]).as("half of %s", special[i]).isEqualTo(halves[i]);
      assertThat(Float.floatToIntBits(kernel.output[i]))
          .isEqualTo(Float.floatToIntBits(Float.intBitsToFloat(halves[i] << 16)));
    }
  }

  @Test
  void shouldTimeLaunchesWhenAsked() {
    DoublingKernel kernel = new DoublingKernel();
    kernel.count = ITEMS;
    LaunchShape shape = LaunchShape.covering(ITEMS, 64, 1);
    try (KernelLauncher<DoublingKernel> launcher = KernelLauncher.of(device, kernel)) {
      launcher.launch(shape, List.of(kernel.input), List.of(kernel.output));
      assertThat(launcher.takeTime()).isEqualTo(LaunchTime.NONE);
      launcher.timeLaunches();
      launcher.launch(shape, List.of(kernel.input), List.of(kernel.output));
      LaunchTime time = launcher.takeTime();
      assertThat(time.nanoseconds()).isPositive();
      assertThat(time.withTransfers()).isPositive();
      assertThat(launcher.takeTime()).isEqualTo(LaunchTime.NONE);
    }
  }

  @Test
  void shouldSayThatAKernelCannotBeTranslated() {
    assertThatThrownBy(() -> KernelLauncher.of(device, new ObjectKernel()))
        .isInstanceOf(IllegalStateException.class)
        .hasMessageContaining("cannot translate ObjectKernel");
  }

  @Test
  void shouldRefuseWhatTheDeviceHasNoMemoryFor() {
    assertThatThrownBy(() -> KernelLauncher.of(device, new GreedyKernel()))
        .isInstanceOf(InvalidInputException.class)
        .hasMessageContaining("needs 268435456 bytes of local memory");
    assertThat(KernelMemory.fits(device, 1L << 31)).isFalse();
  }

  @Test
  void shouldRefuseGroupsThatAreTooLarge() {
    DoublingKernel kernel = new DoublingKernel();
    try (KernelLauncher<DoublingKernel> launcher = KernelLauncher.of(device, kernel)) {
      assertThatThrownBy(
              () ->
                  launcher.launch(
                      new LaunchShape(1, 512, 1), List.of(kernel.input), List.of(kernel.output)))
          .isInstanceOf(InvalidInputException.class)
          .hasMessageContaining("work-groups of 512");
    }
  }

  @Test
  void shouldNeverFallBackToJava() {
    assertThatThrownBy(new DoublingKernel()::clone)
        .isInstanceOf(IllegalStateException.class)
        .hasMessageContaining("fell back to Java");
  }

  @Test
  void shouldReleaseWhatManyLaunchersHeld() {
    for (int i = 0; i < 20; i++) {
      DoublingKernel kernel = new DoublingKernel();
      try (KernelLauncher<DoublingKernel> launcher = KernelLauncher.of(device, kernel)) {
        if (i % 2 == 0) {
          launcher.launch(
              LaunchShape.covering(ITEMS, 64, 1), List.of(kernel.input), List.of(kernel.output));
        }
      }
    }
  }
}
