package org.longspan.parallelism.transport;

import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;

/**
 * How many bytes one sender may have under way on one channel: it takes room before it sends, and
 * the receiver gives room back for what it took out. A piece larger than the whole window passes
 * alone.
 *
 * <p>Threading: any thread.
 */
final class Window {
  private final ReentrantLock lock = new ReentrantLock();
  private final Condition changed = lock.newCondition();
  private long taken;
  private long givenBack;
  private long givenBackBefore;
  private String failure;

  /** A message begins: what a failure says was taken is counted from here. */
  void begin() {
    lock.lock();
    try {
      givenBackBefore = givenBack;
    } finally {
      lock.unlock();
    }
  }

  /** Waits until there is room for a piece of the message. */
  void take(Route route, int bytes, Deadline deadline) {
    try {
      lock.lockInterruptibly();
    } catch (InterruptedException e) {
      throw route.interrupted(e);
    }
    try {
      while (failure == null && !hasRoom(bytes)) {
        long left = deadline.left();
        if (left <= 0) {
          throw route.failure(overdue(deadline));
        }
        changed.awaitNanos(left);
      }
      if (failure != null) {
        throw route.failure(failure);
      }
      taken += bytes;
    } catch (InterruptedException e) {
      throw route.interrupted(e);
    } finally {
      lock.unlock();
    }
  }

  /** Takes room without waiting; false where there is none, or the window has failed. */
  boolean takeAtOnce(int bytes) {
    lock.lock();
    try {
      boolean free = failure == null && hasRoom(bytes);
      if (free) {
        taken += bytes;
      }
      return free;
    } finally {
      lock.unlock();
    }
  }

  private String overdue(Deadline deadline) {
    long bytes = givenBack - givenBackBefore;
    return "the peer took "
        + (bytes == 0 ? "nothing " : "only " + bytes + " bytes ")
        + deadline
        + "; "
        + (taken - givenBack)
        + " bytes are under way";
  }

  private boolean hasRoom(int bytes) {
    long underWay = taken - givenBack;
    return underWay <= 0 || underWay + bytes <= Transport.WINDOW_BYTES;
  }

  void giveBack(long bytes) {
    lock.lock();
    try {
      givenBack += bytes;
      changed.signalAll();
    } finally {
      lock.unlock();
    }
  }

  /** Ends every wait, now and later, with {@code sentence}; the first one stays. */
  void fail(String sentence) {
    lock.lock();
    try {
      if (failure == null) {
        failure = sentence;
      }
      changed.signalAll();
    } finally {
      lock.unlock();
    }
  }
}
