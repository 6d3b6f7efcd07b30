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

  /**
   * The number whose upper half has these bits, the lower half zero: {@code as_float(upper << 16)},
   * which Java could only say by a method that Aparapi cannot translate.
   */
  @OpenCLMapping(mapTo = "\n#define WIDENED(upper) as_float((int) (upper) << 16)\nWIDENED")
  protected final float widened(int upper) {
    return upper;
  }

  /** The bits of a number: {@code as_int}. */
  @OpenCLMapping(mapTo = "as_int")
  protected final int bits(float number) {
    return (int) number;
  }

  /**
   * The upper half of a number, rounded to the nearest, of two as near to the even one; NaN stays
   * NaN.
   */
  protected final int narrowed(float number) {
    int bits = bits(number);
    int upper = (bits + 0x7fff + ((bits >>> 16) & 1)) >>> 16;
    if ((bits & 0x7fffffff) > 0x7f800000) {
      upper = 0x7fc0;
    }
    return upper;
  }

  /** Aparapi clones a kernel to run it on Java threads: never here. */
  @Override
  public final Kernel clone() {
    throw new IllegalStateException(
        "Aparapi left the OpenCL device and fell back to Java threads, which is not allowed");
  }
}
