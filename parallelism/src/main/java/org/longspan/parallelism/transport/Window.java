package org.longspan.parallelism.transport;

import java.time.Duration;
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
  private final Route route;
  private final Duration timeLimit;
  private final ReentrantLock lock = new ReentrantLock();
  private final Condition changed = lock.newCondition();
  private long underWay;
  private long lastChange;
  private String failure;

  Window(Route route, Duration timeLimit) {
    this.route = route;
    this.timeLimit = timeLimit;
  }

  /** Waits until there is room for a piece of the message of this label. */
  void take(int label, int bytes) {
    try {
      lock.lockInterruptibly();
    } catch (InterruptedException e) {
      throw route.labelled(label).interrupted(e);
    }
    try {
      lastChange = System.nanoTime();
      while (failure == null && underWay > 0 && underWay + bytes > Transport.WINDOW_BYTES) {
        long left = lastChange + timeLimit.toNanos() - System.nanoTime();
        if (left <= 0) {
          throw route
              .labelled(label)
              .failure(
                  "the peer took nothing within "
                      + Route.seconds(timeLimit)
                      + "; "
                      + underWay
                      + " bytes are under way");
        }
        changed.awaitNanos(left);
      }
      if (failure != null) {
        throw route.labelled(label).failure(failure);
      }
      underWay += bytes;
    } catch (InterruptedException e) {
      throw route.labelled(label).interrupted(e);
    } finally {
      lock.unlock();
    }
  }

  void giveBack(long bytes) {
    lock.lock();
    try {
      underWay -= bytes;
      lastChange = System.nanoTime();
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
