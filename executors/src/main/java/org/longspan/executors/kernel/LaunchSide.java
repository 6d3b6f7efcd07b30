package org.longspan.executors.kernel;

import com.aparapi.device.OpenCLDevice;
import org.longspan.datapipeline.InvalidInputException;
import org.longspan.executors.opencl.KernelLauncher;
import org.longspan.executors.opencl.LaunchLimits;
import org.longspan.executors.opencl.OpenClDevices;

/**
 * The kernel of linear attention for one direction, with arrays for as many heads at once as fit
 * the device, the heap and a launch's time. They are made anew only when a longer slice comes.
 *
 * <p>Threading: one thread at a time.
 */
final class LaunchSide implements AutoCloseable {
  private static final int HEAP_SHARE = 8;

  private final OpenCLDevice device;
  private final LaunchLimits limits;
  private final int wholeHeads;
  private LinearRoom room;
  private KernelLauncher<LinearKernel> launcher;
  private boolean isTimed;

  /**
   * @param wholeHeads heads of the attention
   */
  LaunchSide(OpenCLDevice device, LaunchLimits limits, int wholeHeads) {
    this.device = device;
    this.limits = limits;
    this.wholeHeads = wholeHeads;
  }

  /**
   * Makes room for a call.
   *
   * @param wanted for one head
   * @throws InvalidInputException if one head needs a larger buffer than the limit
   */
  void reserve(LinearRoom wanted) {
    if (room != null && room.holds(wanted)) {
      return;
    }
    LinearRoom larger = withMostHeads(room == null ? wanted : wanted.orAtLeast(room));
    close();
    launcher = KernelLauncher.of(device, larger.plan().kernel(larger));
    room = larger;
    if (isTimed) {
      launcher.timeLaunches();
    }
  }

  private LinearRoom withMostHeads(LinearRoom ofOne) {
    long most = Math.min(Runtime.getRuntime().maxMemory() / HEAP_SHARE, device.getGlobalMemSize());
    int heads = wholeHeads;
    while (heads > 1 && !isAllowed(ofOne.withHeads(heads), most)) {
      heads--;
    }
    long bytes = ofOne.withHeads(heads).largestBytes();
    if (bytes > limits.bufferBytes()) {
      throw new InvalidInputException(
          "A slice of "
              + ofOne.tokens()
              + " tokens needs a buffer of "
              + bytes
              + " bytes, more than "
              + OpenClDevices.name(device)
              + " allows; use more sequence ranks, or kernel cpu");
    }
    // Heads that share out evenly waste no transfer of an array that is not full.
    int launches = (wholeHeads + heads - 1) / heads;
    return ofOne.withHeads((wholeHeads + launches - 1) / launches);
  }

  private boolean isAllowed(LinearRoom some, long mostBytes) {
    return limits.allows(some.largestBytes(), some.operations()) && some.bytes() <= mostBytes;
  }

  /** Heads that a launch takes at most. */
  int heads() {
    return room.heads();
  }

  KernelLauncher<LinearKernel> launcher() {
    return launcher;
  }

  /** Each launch from now on is timed. */
  void timeLaunches() {
    isTimed = true;
    if (launcher != null) {
      launcher.timeLaunches();
    }
  }

  @Override
  public void close() {
    if (launcher != null) {
      launcher.close();
    }
    launcher = null;
    room = null;
  }
}
