package org.longspan.executors.opencl;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeFalse;

import com.aparapi.device.OpenCLDevice;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;

/**
 * Memory over 100,000 launches. PoCL's device memory is this process's, so that its resident size
 * tells of both.
 */
class LaunchLeakTest {
  private static final int NUMBERS = 1 << 12;
  private static final int LAUNCHES_BEFORE = 10_000;
  private static final int LAUNCHES = 90_000;
  private static final int LAUNCHERS_BEFORE = 150;
  private static final int LAUNCHERS = 300;
  private static final long MOST_BYTES = 24L << 20;

  /** Adds one to its input. */
  private static final class AddingKernel extends DeviceKernel {
    final float[] input;
    final float[] output;

    AddingKernel(int numbers) {
      this.input = new float[numbers];
      this.output = new float[numbers];
    }

    @Override
    public void run() {
      int item = getGlobalId();
      output[item] = input[item] + 1f;
    }
  }

  @Test
  void shouldHoldNoMoreAfterManyLaunches() throws IOException {
    OpenCLDevice device = device();
    try (KernelLauncher<AddingKernel> launcher =
        KernelLauncher.of(device, new AddingKernel(NUMBERS))) {
      launch(launcher, LAUNCHES_BEFORE);
      long before = resident();
      launch(launcher, LAUNCHES);
      assertThat(resident() - before).isLessThan(MOST_BYTES);
    }
  }

  @Test
  void shouldHoldNoMoreAfterManyLaunchers() throws IOException {
    OpenCLDevice device = device();
    makeAndClose(device, LAUNCHERS_BEFORE);
    long before = resident();
    makeAndClose(device, LAUNCHERS);
    // Each holds 2 MiB; Java's heap may grow a little.
    assertThat(resident() - before).isLessThan(6 * MOST_BYTES);
  }

  private static OpenCLDevice device() {
    assumeFalse(
        OpenClDevices.all().isEmpty(), "no OpenCL device on this machine: launches are not tested");
    return OpenClDevices.best().orElseThrow();
  }

  private static void launch(KernelLauncher<AddingKernel> launcher, int count) {
    AddingKernel kernel = launcher.kernel();
    LaunchShape shape = LaunchShape.covering(NUMBERS, 64, 1);
    for (int i = 0; i < count; i++) {
      kernel.input[i % NUMBERS] = i;
      launcher.launch(shape, List.of(kernel.input), List.of(kernel.output));
      assertThat(kernel.output[i % NUMBERS]).isEqualTo(i + 1f);
    }
  }

  private static void makeAndClose(OpenCLDevice device, int count) {
    int numbers = 64 * NUMBERS;
    for (int i = 0; i < count; i++) {
      try (KernelLauncher<AddingKernel> launcher =
          KernelLauncher.of(device, new AddingKernel(numbers))) {
        AddingKernel kernel = launcher.kernel();
        launcher.launch(
            LaunchShape.covering(numbers, 64, 1), List.of(kernel.input), List.of(kernel.output));
      }
    }
  }

  /** Bytes of this process in memory, after what is garbage is gone. */
  private static long resident() throws IOException {
    System.gc();
    return Files.readAllLines(Path.of("/proc/self/status")).stream()
        .filter(line -> line.startsWith("VmRSS:"))
        .mapToLong(line -> Long.parseLong(line.replaceAll("\\D", "")) * 1024)
        .findFirst()
        .orElseThrow();
  }
}
