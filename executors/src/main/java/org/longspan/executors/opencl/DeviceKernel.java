package org.longspan.executors.opencl;

import com.aparapi.Kernel;

/**
 * A kernel that runs on an OpenCL device and nowhere else. Its arrays are staging memory of a fixed
 * size, never exchanged; a launch carries its inputs to the device and its outputs back, and what
 * else is on the device is forgotten between launches. A {@link KernelLauncher} launches it.
 *
 * <p>Threading: one launch at a time.
 */
public abstract class DeviceKernel extends Kernel {
  protected DeviceKernel() {
    setExplicit(true);
  }

  /** Aparapi clones a kernel to run it on Java threads: never here. */
  @Override
  public final Kernel clone() {
    throw new IllegalStateException(
        "Aparapi left the OpenCL device and fell back to Java threads, which is not allowed");
  }
}
