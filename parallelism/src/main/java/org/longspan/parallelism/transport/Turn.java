package org.longspan.parallelism.transport;

import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.ReentrantLock;

/** Lets one thread at a time send on a channel. */
final class Turn {
  private final ReentrantLock lock = new ReentrantLock();

  void take(Route route, Deadline deadline) {
    try {
      if (!lock.tryLock(deadline.left(), TimeUnit.NANOSECONDS)) {
        throw route.failure("another send on the channel did not end " + deadline);
      }
    } catch (InterruptedException e) {
      throw route.interrupted(e);
    }
  }

  void end() {
    lock.unlock();
  }
}
