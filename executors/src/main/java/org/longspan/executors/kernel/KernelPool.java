package org.longspan.executors.kernel;

import java.util.HashMap;
import java.util.Map;
import java.util.function.Consumer;
import java.util.function.Supplier;

/**
 * Kernel instances that the layers of a process share where they need the same one: each has a
 * context and buffers on the device, and launches are one at a time anyway.
 *
 * <p>Threading: any thread; an instance's user holds its lock during a call.
 *
 * @param <K> what tells instances apart
 */
final class KernelPool<K, T> {
  private final Consumer<T> free;
  private final Map<K, Entry<T>> instances = new HashMap<>();

  private static final class Entry<T> {
    private final T instance;
    private int users;

    private Entry(T instance) {
      this.instance = instance;
    }
  }

  /**
   * @param free frees what an instance holds on the device
   */
  KernelPool(Consumer<T> free) {
    this.free = free;
  }

  /** An instance, made when it is the first of its kind; each is given back once. */
  synchronized T take(K key, Supplier<T> make) {
    Entry<T> entry = instances.computeIfAbsent(key, kind -> new Entry<>(make.get()));
    entry.users++;
    return entry.instance;
  }

  /** The last user's return frees it. */
  synchronized void giveBack(K key) {
    Entry<T> entry = instances.get(key);
    entry.users--;
    if (entry.users == 0) {
      instances.remove(key);
      synchronized (entry.instance) {
        free.accept(entry.instance);
      }
    }
  }
}
