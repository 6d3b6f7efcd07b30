package org.longspan.executors.bench.kernel;

import com.aparapi.device.Device;
import com.aparapi.device.OpenCLDevice;
import java.util.List;
import org.longspan.executors.bench.Medians;
import org.longspan.executors.opencl.KernelLauncher;
import org.longspan.executors.opencl.LaunchShape;

/** Measures the {@link DeviceRates} of a device, in some seconds. */
public final class DeviceProbe {
  private static final int GROUP = 128;
  private static final int REPETITIONS = 7;
  private static final int LAUNCHES = 50;
  private static final int GPU_ITEMS = 1 << 19;
  private static final int CPU_ITEMS = 1 << 12;
  private static final int STEPS = 1 << 12;
  private static final int GPU_NUMBERS = 1 << 26;
  private static final int CPU_NUMBERS = 1 << 24;
  private static final int HEAP_SHARE = 8;

  private DeviceProbe() {}

  /** Measures. */
  public static DeviceRates of(OpenCLDevice device) {
    boolean isProcessor = device.getType() == Device.TYPE.CPU;
    double operations = operationsPerSecond(device, isProcessor ? CPU_ITEMS : GPU_ITEMS);
    long heap = Runtime.getRuntime().maxMemory() / HEAP_SHARE / Float.BYTES;
    long allowed = Math.min(heap, device.getMaxMemAllocSize() / Float.BYTES);
    int numbers = (int) Math.min(isProcessor ? CPU_NUMBERS : GPU_NUMBERS, allowed);
    try (KernelLauncher<CopyKernel> copy = KernelLauncher.of(device, new CopyKernel(numbers))) {
      CopyKernel kernel = copy.kernel();
      LaunchShape nothing = new LaunchShape(1, GROUP, 1);
      kernel.length = 0;
      copy.launch(nothing, List.of(kernel.from), List.of(kernel.to));
      double launch = median(LAUNCHES, () -> copy.launch(nothing, List.of(), List.of()));
      double put = median(() -> copy.launch(nothing, List.of(kernel.from), List.of())) - launch;
      double get = median(() -> copy.launch(nothing, List.of(), List.of(kernel.to))) - launch;
      kernel.length = numbers;
      LaunchShape whole = LaunchShape.covering(numbers / CopyKernel.NUMBERS, GROUP, 1);
      double copied = median(() -> copy.launch(whole, List.of(), List.of())) - launch;
      double bytes = (double) numbers * Float.BYTES;
      return new DeviceRates(
          new ComputeRates(operations, 2 * bytes / copied), bytes / put, bytes / get, launch);
    }
  }

  private static double operationsPerSecond(OpenCLDevice device, int items) {
    try (KernelLauncher<MultiplyAddKernel> launcher =
        KernelLauncher.of(device, new MultiplyAddKernel(items))) {
      MultiplyAddKernel kernel = launcher.kernel();
      kernel.steps = STEPS;
      LaunchShape shape = LaunchShape.covering(items, GROUP, 1);
      launcher.launch(shape, List.of(kernel.factors), List.of(kernel.results));
      double seconds = median(() -> launcher.launch(shape, List.of(), List.of()));
      return 2.0 * MultiplyAddKernel.SUMS * STEPS * items / seconds;
    }
  }

  private static double median(Runnable work) {
    return median(REPETITIONS, work);
  }

  /** Median seconds. */
  private static double median(int repetitions, Runnable work) {
    double[] seconds = new double[repetitions];
    for (int i = 0; i < repetitions; i++) {
      long before = System.nanoTime();
      work.run();
      seconds[i] = (System.nanoTime() - before) / 1e9;
    }
    return Medians.of(seconds);
  }
}
