package org.longspan.parallelism.transport;

import java.time.Duration;
import java.util.List;

/** Finds the threads that ranks, their communicators and their networks run. */
public final class ThreadsOfRanks {
  private static final Duration PATIENCE = Duration.ofSeconds(45);

  private ThreadsOfRanks() {}

  /** The names of those that are left when there has been time for them to end. */
  public static List<String> left() throws InterruptedException {
    long deadline = System.nanoTime() + PATIENCE.toNanos();
    List<String> names = alive();
    while (!names.isEmpty() && System.nanoTime() < deadline) {
      Thread.sleep(50);
      names = alive();
    }
    return names;
  }

  public static List<String> alive() {
    return Thread.getAllStackTraces().keySet().stream()
        .filter(Thread::isAlive)
        .map(Thread::getName)
        .filter(name -> name.startsWith("longspan"))
        .toList();
  }
}
