package org.longspan.executors.bench.overlap;

import java.lang.management.ManagementFactory;
import java.lang.management.ThreadMXBean;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.longspan.parallelism.collective.Pending;

/**
 * Sees a scan arrive while another thread attends, and how much of its time that thread was
 * computing: the rest went to the scan's own work, or was waited.
 *
 * <p>Threading: one thread watches its own scans.
 */
final class ArrivalWatch implements AutoCloseable {
  private static final ThreadMXBean THREADS = ManagementFactory.getThreadMXBean();

  private final ExecutorService watcher = Executors.newSingleThreadExecutor();

  /**
   * A scan under way, from its start to its arrival.
   *
   * @param computedSeconds of processor time that the watched thread had meanwhile
   */
  record Flight(double seconds, double computedSeconds) {}

  /** Watches {@code travelling}, started at {@code startedAt} (nanoseconds) by this thread. */
  Future<Flight> watch(Pending travelling, long startedAt) {
    long thread = Thread.currentThread().getId();
    long computedBefore = THREADS.getCurrentThreadCpuTime();
    return watcher.submit(
        () -> {
          travelling.await();
          long arrivedAt = System.nanoTime();
          long computed = THREADS.getThreadCpuTime(thread) - computedBefore;
          return new Flight((arrivedAt - startedAt) / 1e9, computed / 1e9);
        });
  }

  static Flight landed(Future<Flight> flight) {
    try {
      return flight.get();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException("Interrupted while a scan was watched", e);
    } catch (ExecutionException e) {
      throw new IllegalStateException("A watched scan failed: " + e.getCause(), e.getCause());
    }
  }

  @Override
  public void close() {
    watcher.shutdownNow();
  }
}
