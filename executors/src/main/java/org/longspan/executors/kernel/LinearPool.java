package org.longspan.executors.kernel;

import com.aparapi.device.OpenCLDevice;
import java.util.HashMap;
import java.util.Map;

/**
 * The kernel instances of this process, shared by the layers that need the same one: each has a
 * context and buffers on the device, and launches are one at a time anyway.
 *
 * <p>Threading: any thread; an instance's user holds its lock during a call.
 */
final class LinearPool {
  private static final Map<Key, Entry> INSTANCES = new HashMap<>();

  private LinearPool() {}

  private record Key(long device, DeviceForm form, AttentionShape shape) {}

  private static final class Entry {
    private final LinearLaunches instance;
    private int users;

    private Entry(LinearLaunches instance) {
      this.instance = instance;
    }
  }

  /** An instance, made when it is the first of its kind; each is given back once. */
  static LinearLaunches take(OpenCLDevice device, DeviceForm form, AttentionShape shape) {
    synchronized (INSTANCES) {
      Entry entry =
          INSTANCES.computeIfAbsent(
              new Key(device.getDeviceId(), form, shape),
              key -> new Entry(new LinearLaunches(device, form, shape)));
      entry.users++;
      return entry.instance;
    }
  }

  /** The last user's return frees the device's buffers. */
  static void giveBack(OpenCLDevice device, DeviceForm form, AttentionShape shape) {
    synchronized (INSTANCES) {
      Key key = new Key(device.getDeviceId(), form, shape);
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
