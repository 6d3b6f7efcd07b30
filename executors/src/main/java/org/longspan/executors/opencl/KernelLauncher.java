package org.longspan.executors.opencl;

import com.aparapi.ProfileReport;
import com.aparapi.Range;
import com.aparapi.device.OpenCLDevice;
import com.aparapi.exception.CompileFailedException;
import java.lang.ref.WeakReference;
import java.util.List;
import org.longspan.datapipeline.InvalidInputException;

/**
 * One kernel, translated for one OpenCL device, and its launches. Each either ran on the device or
 * is an error that says why; none falls back to Java threads.
 *
 * <p>Threading: one thread at a time.
 *
 * @param <K> the kernel's class
 */
public final class KernelLauncher<K extends DeviceKernel> implements AutoCloseable {
  private static final int MOST_GROUP_ITEMS = 256;

  private final OpenCLDevice device;
  private final K kernel;
  private boolean ran;
  private boolean isTimed;
  private LaunchTime time = LaunchTime.NONE;

  private KernelLauncher(OpenCLDevice device, K kernel) {
    this.device = device;
    this.kernel = kernel;
  }

  /**
   * Translates {@code kernel} for the device.
   *
   * @throws InvalidInputException if the device has less memory, in one buffer or a work-group,
   *     than the kernel needs
   * @throws IllegalStateException if Aparapi or the driver cannot translate it
   */
  public static <K extends DeviceKernel> KernelLauncher<K> of(OpenCLDevice device, K kernel) {
    KernelMemory.of(kernel).check(device);
    try {
      kernel.compile(device);
    } catch (CompileFailedException e) {
      // Not disposed: disposing a kernel that has not run ends the JVM.
      throw new IllegalStateException(
          "Aparapi cannot translate "
              + kernel.getClass().getSimpleName()
              + " for "
              + OpenClDevices.name(device),
          e);
    }
    return new KernelLauncher<>(device, kernel);
  }

  /** The kernel, whose arrays and numbers are set before a launch and read after it. */
  public K kernel() {
    return kernel;
  }

  /** Most work-items that a group may have on a device. */
  public static int mostGroupItems(OpenCLDevice device) {
    return Math.min(MOST_GROUP_ITEMS, device.getMaxWorkGroupSize());
  }

  /** Each launch from now on is repeated without transfers, and timed. */
  public void timeLaunches() {
    isTimed = true;
  }

  /** The time of all launches since the last call here. */
  public LaunchTime takeTime() {
    LaunchTime taken = time;
    time = LaunchTime.NONE;
    return taken;
  }

  /**
   * Carries the inputs to the device, runs the kernel there and carries the outputs back.
   *
   * @param inputs arrays of the kernel that it reads
   * @param outputs arrays of the kernel that it writes whole, as far as they are used afterwards
   * @throws IllegalStateException if it did not run on the device
   */
  public void launch(LaunchShape shape, List<?> inputs, List<?> outputs) {
    if (shape.groupSize() > mostGroupItems(device)) {
      throw new InvalidInputException(
          "The kernel needs work-groups of "
              + shape.groupSize()
              + ", and "
              + OpenClDevices.name(device)
              + " allows "
              + mostGroupItems(device)
              + "; set kernel: cpu");
    }
    long start = System.nanoTime();
    for (Object input : inputs) {
      put(input);
    }
    run(shape);
    for (Object output : outputs) {
      get(output);
    }
    long withTransfers = System.nanoTime() - start;
    if (isTimed) {
      long again = System.nanoTime();
      run(shape);
      time = time.plus(new LaunchTime(1, System.nanoTime() - again, withTransfers));
    }
  }

  private void run(LaunchShape shape) {
    long before = lastReport();
    kernel.execute(Range.create(device, shape.items(), shape.groupSize()), shape.passes());
    ran = true;
    if (lastReport() <= before) {
      throw new IllegalStateException(
          "Aparapi did not run "
              + kernel.getClass().getSimpleName()
              + " on "
              + OpenClDevices.name(device));
    }
  }

  /**
   * The number of the profile report of this thread's last launch on the device, or -1. A launch
   * that adds none ran somewhere else; threads number theirs apart.
   */
  private long lastReport() {
    WeakReference<ProfileReport> last = kernel.getProfileReportCurrentThread(device);
    ProfileReport report = last == null ? null : last.get();
    return report == null ? -1 : report.getReportId();
  }

  private void put(Object array) {
    if (array instanceof float[] numbers) {
      kernel.put(numbers);
    } else if (array instanceof int[] numbers) {
      kernel.put(numbers);
    } else if (array instanceof char[] numbers) {
      kernel.put(numbers);
    } else {
      throw new IllegalArgumentException("Cannot carry " + array.getClass() + " to a device");
    }
  }

  private void get(Object array) {
    if (array instanceof float[] numbers) {
      kernel.get(numbers);
    } else if (array instanceof int[] numbers) {
      kernel.get(numbers);
    } else if (array instanceof char[] numbers) {
      kernel.get(numbers);
    } else {
      throw new IllegalArgumentException("Cannot carry " + array.getClass() + " from a device");
    }
  }

  /** Frees the device's buffers; a kernel that never ran has none. */
  @Override
  public void close() {
    if (ran) {
      ran = false;
      kernel.dispose();
    }
  }
}
