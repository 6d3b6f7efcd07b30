package org.longspan.executors.kernel;

import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.IntConsumer;

/**
 * The threads of one rank: its caller and {@code threads − 1} more. Work is a number of independent
 * pieces; which thread takes which piece never changes a result.
 *
 * <p>Threading: one caller at a time.
 */
public final class Workers implements AutoCloseable {
  private final int threads;
  private final ExecutorService helpers;

  public Workers(int threads) {
    if (threads < 1) {
      throw new IllegalArgumentException("A rank needs a thread, not " + threads);
    }
    this.threads = threads;
    AtomicInteger number = new AtomicInteger();
    this.helpers =
        threads == 1
            ? null
            : Executors.newFixedThreadPool(
                threads - 1,
                work -> {
                  Thread thread = new Thread(work, "longspan-worker-" + number.incrementAndGet());
                  thread.setDaemon(true);
                  return thread;
                });
  }

  public int threads() {
    return threads;
  }

  /** Does {@code piece.accept(i)} for every i below {@code pieces}; returns when all are done. */
  public void forEach(int pieces, IntConsumer piece) {
    if (threads == 1 || pieces <= 1) {
      for (int i = 0; i < pieces; i++) {
        piece.accept(i);
      }
      return;
    }
    AtomicInteger next = new AtomicInteger();
    Runnable drain =
        () -> {
          for (int i = next.getAndIncrement(); i < pieces; i = next.getAndIncrement()) {
            piece.accept(i);
          }
        };
    Future<?>[] running = new Future<?>[Math.min(threads, pieces) - 1];
    for (int helper = 0; helper < running.length; helper++) {
      running[helper] = helpers.submit(drain);
    }
    try {
      drain.run();
    } finally {
      next.set(pieces);
      join(running);
    }
  }

  private static void join(Future<?>[] running) {
    boolean interrupted = false;
    RuntimeException failure = null;
    for (Future<?> future : running) {
      while (true) {
        try {
          future.get();
          break;
        } catch (InterruptedException e) {
          interrupted = true;
        } catch (ExecutionException e) {
          failure = new IllegalStateException("A worker failed: " + e.getCause(), e.getCause());
          break;
        }
      }
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
    if (failure != null) {
      throw failure;
    }
  }

  @Override
  public void close() {
    if (helpers != null) {
      helpers.shutdownNow();
    }
  }
}
