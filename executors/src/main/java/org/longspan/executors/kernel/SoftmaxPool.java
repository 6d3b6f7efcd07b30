package org.longspan.executors.kernel;

import com.aparapi.device.OpenCLDevice;
import java.util.HashMap;
import java.util.Map;
import org.longspan.executors.opencl.LaunchLimits;

/**
 * The kernel instances of this process, shared by the layers that need the same one: each has a
 * context and buffers on the device, and launches are one at a time anyway.
 *
 * <p>Threading: any thread; an instance's user holds its lock during a call.
 */
final class SoftmaxPool {
  private static final Map<Key, Entry> INSTANCES = new HashMap<>();

  private SoftmaxPool() {}

  private record Key(
      long device, SoftmaxForm form, AttentionShape shape, Storage storage, LaunchLimits limits) {}

  private static final class Entry {
    private final SoftmaxLaunches instance;
    private int users;

    private Entry(SoftmaxLaunches instance) {
      this.instance = instance;
    }
  }

  /** An instance, made when it is the first of its kind; each is given back once. */
  static SoftmaxLaunches take(
      OpenCLDevice device,
      SoftmaxForm form,
      AttentionShape shape,
      Storage storage,
      LaunchLimits limits) {
    synchronized (INSTANCES) {
      Entry entry =
          INSTANCES.computeIfAbsent(
              new Key(device.getDeviceId(), form, shape, storage, limits),
              key -> new Entry(new SoftmaxLaunches(device, form, shape, storage, limits)));
      entry.users++;
      return entry.instance;
    }
  }

  /** The last user's return frees the device's buffers. */
  static void giveBack(
      OpenCLDevice device,
      SoftmaxForm form,
      AttentionShape shape,
      Storage storage,
      LaunchLimits limits) {
    synchronized (INSTANCES) {
      Key key = new Key(device.getDeviceId(), form, shape, storage, limits);
      Entry entry = INSTANCES.get(key);
      entry.users--;
      if (entry.users == 0) {
        INSTANCES.remove(key);
        synchronized (entry.instance) {
          entry.instance.close();
        }
      }
    }
  }
}
