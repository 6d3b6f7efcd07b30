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
final class AparapiPool {
  private static final Map<Key, Entry> INSTANCES = new HashMap<>();

  private AparapiPool() {}

  private record Key(long device, AttentionShape shape, int chunk) {}

  private static final class Entry {
    private final AparapiAttend instance;
    private int users;

    private Entry(AparapiAttend instance) {
      this.instance = instance;
    }
  }

  /** An instance, made when it is the first of its kind; each is given back once. */
  static AparapiAttend take(OpenCLDevice device, AttentionShape shape, int chunk) {
    synchronized (INSTANCES) {
      Entry entry =
          INSTANCES.computeIfAbsent(
              new Key(device.getDeviceId(), shape, chunk),
              key -> new Entry(new AparapiAttend(device, shape, chunk)));
      entry.users++;
      return entry.instance;
    }
  }

  /** The last user's return frees the device's buffers. */
  static void giveBack(OpenCLDevice device, AttentionShape shape, int chunk) {
    synchronized (INSTANCES) {
      Key key = new Key(device.getDeviceId(), shape, chunk);
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
