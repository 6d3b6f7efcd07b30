package org.longspan.parallelism.transport;

import java.time.Duration;

/** The moment at which a wait ends that may last for {@code limit}, whatever happens meanwhile. */
record Deadline(long nanoTime, Duration limit) {
  static Deadline after(Duration limit) {
    return new Deadline(System.nanoTime() + limit.toNanos(), limit);
  }

  /** Nanoseconds until then; 0 or less when it is over. */
  long left() {
    return nanoTime - System.nanoTime();
  }

  /** {@code within 0.3 s}. */
  @Override
  public String toString() {
    return "within " + limit.toMillis() / 1000.0 + " s";
  }
}
