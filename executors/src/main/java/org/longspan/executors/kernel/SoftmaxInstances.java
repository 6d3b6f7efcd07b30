package org.longspan.executors.kernel;

import com.aparapi.device.OpenCLDevice;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;
import org.longspan.executors.opencl.DeviceKernel;
import org.longspan.executors.opencl.KernelLauncher;

/**
 * A few instances of one kernel for calls of different sizes: arrays go to the device whole, so
 * that a short call does badly with a long one's.
 *
 * <p>Threading: one thread at a time.
 */
final class SoftmaxInstances<K extends DeviceKernel> implements AutoCloseable {
  private static final int MOST = 3;

  private final OpenCLDevice device;
  private final Function<SoftmaxRoom, K> maker;
  private final List<Instance<K>> instances = new ArrayList<>();
  private boolean isTimed;

  private record Instance<K extends DeviceKernel>(SoftmaxRoom room, KernelLauncher<K> launcher) {}

  SoftmaxInstances(OpenCLDevice device, Function<SoftmaxRoom, K> maker) {
    this.device = device;
    this.maker = maker;
  }

  /**
   * One that suits a call which needs so much; the least recently made goes where there are many.
   */
  KernelLauncher<K> of(SoftmaxRoom needed) {
    for (Instance<K> instance : instances) {
      if (instance.room().suits(needed)) {
        return instance.launcher();
      }
    }
    if (instances.size() == MOST) {
      instances.remove(0).launcher().close();
    }
    KernelLauncher<K> launcher = KernelLauncher.of(device, maker.apply(needed));
    if (isTimed) {
      launcher.timeLaunches();
    }
    instances.add(new Instance<>(needed, launcher));
    return launcher;
  }

  void timeLaunches() {
    isTimed = true;
    instances.forEach(instance -> instance.launcher().timeLaunches());
  }

  @Override
  public void close() {
    instances.forEach(instance -> instance.launcher().close());
    instances.clear();
  }
}
