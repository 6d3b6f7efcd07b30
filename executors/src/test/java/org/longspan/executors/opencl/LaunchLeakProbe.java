package org.longspan.executors.opencl;

import com.aparapi.device.OpenCLDevice;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/**
 * Prints by how many bytes this process has grown over many launches, or over many launchers made
 * and closed. It is a process of its own, whose heap is all in memory from the start, so that only
 * what lies beside Java's heap can grow: PoCL's device memory does.
 */
final class LaunchLeakProbe {
  static final String LAUNCHES = "launches";
  static final String LAUNCHERS = "launchers";
  static final String GROWN = "grown: ";

  private static final int NUMBERS = 1 << 12;
  private static final int LAUNCHES_BEFORE = 10_000;
  private static final int LAUNCHES_MEASURED = 90_000;
  private static final int LAUNCHERS_BEFORE = 150;
  private static final int LAUNCHERS_MEASURED = 300;

  private LaunchLeakProbe() {}

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

  public static void main(String[] arguments) throws IOException {
    OpenCLDevice device = OpenClDevices.best().orElseThrow();
    long grown = arguments[0].equals(LAUNCHES) ? grownByLaunches(device) : grownByLaunchers(device);
    System.out.println(GROWN + grown);
  }

  private static long grownByLaunches(OpenCLDevice device) throws IOException {
    try (KernelLauncher<AddingKernel> launcher =
        KernelLauncher.of(device, new AddingKernel(NUMBERS))) {
      launch(launcher, LAUNCHES_BEFORE);
      long before = resident();
      launch(launcher, LAUNCHES_MEASURED);
      return resident() - before;
    }
  }

  private static long grownByLaunchers(OpenCLDevice device) throws IOException {
    makeAndClose(device, LAUNCHERS_BEFORE);
    long before = resident();
    makeAndClose(device, LAUNCHERS_MEASURED);
    return resident() - before;
  }

  private static void launch(KernelLauncher<AddingKernel> launcher, int count) {
    AddingKernel kernel = launcher.kernel();
    LaunchShape shape = LaunchShape.covering(NUMBERS, 64, 1);
    for (int i = 0; i < count; i++) {
      kernel.input[i % NUMBERS] = i;
      launcher.launch(shape, List.of(kernel.input), List.of(kernel.output));
      if (kernel.output[i % NUMBERS] != i + 1f) {
        throw new IllegalStateException("Launch " + i + " computed otherwise");
      }
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
