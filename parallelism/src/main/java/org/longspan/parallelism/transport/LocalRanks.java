package org.longspan.parallelism.transport;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Function;

/** Runs ranks as threads of this JVM, one for each transport. */
public final class LocalRanks {
  private LocalRanks() {}

  /**
   * Runs {@code body} once for each transport, each in its own thread, and gives what they return
   * in the order of the transports. When one fails, the others are interrupted, and what failed
   * first is thrown. The transports are closed in any case, and no thread is left.
   */
  public static <T> List<T> run(List<? extends Transport> transports, Function<Transport, T> body) {
    Crew<T> crew = new Crew<>(transports, body);
    try {
      crew.start();
      return crew.results();
    } finally {
      transports.forEach(Transport::close);
    }
  }

  private static final class Crew<T> {
    private final List<? extends Transport> transports;
    private final Function<Transport, T> body;
    private final List<Thread> threads = new ArrayList<>();
    private final List<AtomicReference<T>> results = new ArrayList<>();
    private final AtomicReference<Throwable> first = new AtomicReference<>();

    Crew(List<? extends Transport> transports, Function<Transport, T> body) {
      this.transports = transports;
      this.body = body;
      for (Transport transport : transports) {
        AtomicReference<T> result = new AtomicReference<>();
        results.add(result);
        Thread thread =
            new Thread(() -> work(transport, result), "longspan-rank-" + transport.rank());
        thread.setDaemon(true);
        threads.add(thread);
      }
    }

    void start() {
      threads.forEach(Thread::start);
    }

    private void work(Transport transport, AtomicReference<T> result) {
      try {
        result.set(body.apply(transport));
      } catch (Throwable failure) {
        fail(failure);
      }
    }

    private void fail(Throwable failure) {
      if (!first.compareAndSet(null, failure)) {
        return;
      }
      for (Thread thread : threads) {
        if (thread != Thread.currentThread()) {
          thread.interrupt();
        }
      }
      transports.forEach(Transport::close);
    }

    List<T> results() {
      boolean interrupted = false;
      for (Thread thread : threads) {
        while (thread.isAlive()) {
          try {
            thread.join();
          } catch (InterruptedException e) {
            interrupted = true;
            fail(new TransportException("Interrupted while the ranks were working", e));
          }
        }
      }
      if (interrupted) {
        Thread.currentThread().interrupt();
      }
      Throwable failure = first.get();
      if (failure instanceof RuntimeException known) {
        throw known;
      }
      if (failure instanceof Error known) {
        throw known;
      }
      if (failure != null) {
        throw new TransportException("A rank failed: " + failure, failure);
      }
      List<T> values = new ArrayList<>(results.size());
      results.forEach(result -> values.add(result.get()));
      return values;
    }
  }
}
