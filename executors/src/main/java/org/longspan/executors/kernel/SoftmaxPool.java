package org.longspan.executors.kernel;

import com.aparapi.device.OpenCLDevice;
import org.longspan.executors.opencl.LaunchLimits;

/**
 * The {@link SoftmaxLaunches} of this process.
 *
 * <p>Threading: as {@link KernelPool}.
 */
final class SoftmaxPool {
  private static final KernelPool<Key, SoftmaxLaunches> POOL =
      new KernelPool<>(SoftmaxLaunches::close);

  private SoftmaxPool() {}

  private record Key(
      long device, SoftmaxForm form, AttentionShape shape, Storage storage, LaunchLimits limits) {}

  /** An instance, made when it is the first of its kind; each is given back once. */
  static SoftmaxLaunches take(
      OpenCLDevice device,
      SoftmaxForm form,
      AttentionShape shape,
      Storage storage,
      LaunchLimits limits) {
    return POOL.take(
        new Key(device.getDeviceId(), form, shape, storage, limits),
        () -> new SoftmaxLaunches(device, form, shape, storage, limits));
  }

  /** The last user's return frees the device's buffers. */
  static void giveBack(
      OpenCLDevice device,
      SoftmaxForm form,
      AttentionShape shape,
      Storage storage,
      LaunchLimits limits) {
    POOL.giveBack(new Key(device.getDeviceId(), form, shape, storage, limits));
  }
}
