package org.longspan.executors.opencl;

import com.aparapi.device.Device;
import com.aparapi.device.OpenCLDevice;

/**
 * What one launch may take at most; what needs more is launched in parts.
 *
 * @param bufferBytes bytes of one array
 * @param operations floating-point operations: about a second's on a fast device of the kind, since
 *     arrays stay pinned for as long
 */
public record LaunchLimits(long bufferBytes, double operations) {
  private static final long MOST_BYTES = (1L << 31) - 1;
  private static final double OF_SECOND = 4e12;
  private static final double OF_SECOND_ON_PROCESSOR = 4e10;

  /** Those of a device. */
  public static LaunchLimits of(OpenCLDevice device) {
    return new LaunchLimits(
        Math.min(MOST_BYTES, device.getMaxMemAllocSize()),
        device.getType() == Device.TYPE.CPU ? OF_SECOND_ON_PROCESSOR : OF_SECOND);
  }

  /** Whether a launch stays within both. */
  public boolean allows(long largestBytes, double launchOperations) {
    return largestBytes <= bufferBytes && launchOperations <= operations;
  }
}
