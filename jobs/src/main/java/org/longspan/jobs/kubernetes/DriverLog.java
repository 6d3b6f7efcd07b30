package org.longspan.jobs.kubernetes;

import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.client.dsl.LogWatch;
import java.io.IOException;
import java.io.OutputStream;
import java.time.Duration;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Consumer;

/**
 * A driver's output from its start to its end, also where a connection breaks meanwhile.
 *
 * <p>Threading: one thread. The output is written by another.
 */
final class DriverLog implements AutoCloseable {
  private static final Set<String> ENDED = Set.of("Succeeded", "Failed");

  /** For what a driver that has ended wrote last. */
  private static final Duration PATIENCE = Duration.ofSeconds(5);

  private final KubernetesCluster cluster;
  private final Consumer<String> news;
  private final OutputStream to;
  private LogWatch watch;
  private boolean missed;

  /** Whether the log was complete when it was opened. */
  private boolean complete;

  /** Bytes, over all connections. */
  private long written;

  /**
   * @param news hears it where the output cannot be had
   */
  DriverLog(KubernetesCluster cluster, Consumer<String> news, OutputStream to) {
    this.cluster = cluster;
    this.news = news;
    this.to = to;
  }

  /** Opens the driver's log, where it has one that is not open; for every look at the pod. */
  void follow(Pod driver) {
    String phase = driver.getStatus().getPhase();
    if (complete || "Pending".equals(phase) || (watch != null && !closed().isDone())) {
      return;
    }
    Optional<String> refusal = cluster.logRefusal(driver);
    if (refusal.isPresent()) {
      if (!missed) {
        missed = true;
        news.accept("The driver's output cannot be had: " + refusal.get());
      }
      return;
    }
    close();
    complete = ENDED.contains(phase);
    watch = cluster.follow(driver, new Rest(written()));
  }

  /** Waits for what was written last and is still on its way. */
  void finish() throws InterruptedException {
    if (watch == null) {
      return;
    }
    try {
      Throwable ignored = closed().get(PATIENCE.toMillis(), TimeUnit.MILLISECONDS);
    } catch (ExecutionException | TimeoutException broken) {
      // What is here is all there is.
    }
  }

  @Override
  public void close() {
    if (watch != null) {
      watch.close();
    }
  }

  private CompletableFuture<Throwable> closed() {
    return watch.onClose().toCompletableFuture();
  }

  private synchronized long written() {
    return written;
  }

  /** A connection gives the log from its start; this leaves out what an earlier one gave. */
  private final class Rest extends OutputStream {
    private long known;

    Rest(long known) {
      this.known = known;
    }

    @Override
    public void write(int b) throws IOException {
      write(new byte[] {(byte) b}, 0, 1);
    }

    @Override
    public void write(byte[] bytes, int offset, int length) throws IOException {
      synchronized (DriverLog.this) {
        int skipped = (int) Math.min(known, length);
        known -= skipped;
        to.write(bytes, offset + skipped, length - skipped);
        written += length - skipped;
      }
    }

    @Override
    public void flush() throws IOException {
      to.flush();
    }
  }
}
