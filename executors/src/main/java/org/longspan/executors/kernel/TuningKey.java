package org.longspan.executors.kernel;

import com.aparapi.device.Device;
import com.aparapi.device.OpenCLDevice;
import org.longspan.executors.opencl.OpenClDevices;

/**
 * What a choice among a kernel's forms holds for.
 *
 * @param device the device's and its platform's name
 * @param driver the platform's version; what was measured with another one counts no more
 * @param work the kernel, its shape and its size
 */
record TuningKey(String device, String driver, String work) {
  private static final int MOST_TOKENS = 4096;
  private static final int MOST_TOKENS_ON_PROCESSOR = 1024;

  /**
   * How many tokens are measured for a slice: the next power of two, so many at most that measuring
   * takes no longer than some seconds.
   */
  static int size(OpenCLDevice device, int tokens) {
    int most = device.getType() == Device.TYPE.CPU ? MOST_TOKENS_ON_PROCESSOR : MOST_TOKENS;
    int size = 1;
    while (size < tokens && size < most) {
      size *= 2;
    }
    return size;
  }

  static TuningKey of(OpenCLDevice device, String kernel, AttentionShape shape, int size) {
    return new TuningKey(
        OpenClDevices.name(device),
        device.getOpenCLPlatform().getVersion().strip(),
        kernel
            + ", "
            + shape.heads()
            + " heads of "
            + shape.keyWidth()
            + " and "
            + shape.valueWidth()
            + ", "
            + size
            + " tokens");
  }
}
