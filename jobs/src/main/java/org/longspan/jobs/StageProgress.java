package org.longspan.jobs;

import java.util.Locale;
import org.apache.spark.SparkStageInfo;
import org.apache.spark.api.java.JavaSparkStatusTracker;
import org.longspan.driver.progress.Durations;

/**
 * What Spark is at while a job runs that reports nothing itself: on a terminal one line that is
 * rewritten, elsewhere a plain line now and then. A thread of its own asks Spark until it is
 * closed.
 */
final class StageProgress implements AutoCloseable {
  private static final String CLEAR = "\r\u001B[K";
  private static final long TERMINAL_MILLISECONDS = 500;
  private static final long PLAIN_MILLISECONDS = 10_000;

  private final JavaSparkStatusTracker tracker;
  private final String work;
  private final Terminal terminal;
  private final long started = System.nanoTime();
  private final Thread watcher = new Thread(this::watch, "stage-progress");

  /**
   * @param work what is done, in one word
   */
  StageProgress(SparkRuntime spark, String work, Terminal terminal) {
    this.tracker = spark.context().statusTracker();
    this.work = work;
    this.terminal = terminal;
  }

  void start() {
    watcher.setDaemon(true);
    watcher.start();
  }

  /** Leaves no line behind on a terminal. */
  @Override
  public void close() {
    watcher.interrupt();
    try {
      watcher.join();
    } catch (InterruptedException interrupted) {
      Thread.currentThread().interrupt();
    }
    if (terminal.rewritable()) {
      terminal.out().print(CLEAR);
      terminal.out().flush();
    }
  }

  private void watch() {
    try {
      while (true) {
        Thread.sleep(terminal.rewritable() ? TERMINAL_MILLISECONDS : PLAIN_MILLISECONDS);
        if (terminal.rewritable()) {
          terminal.out().print(CLEAR + line());
          terminal.out().flush();
        } else {
          terminal.out().println(line());
        }
      }
    } catch (InterruptedException closed) {
      Thread.currentThread().interrupt();
    }
  }

  private String line() {
    int done = 0;
    int all = 0;
    for (int stage : tracker.getActiveStageIds()) {
      SparkStageInfo info = tracker.getStageInfo(stage);
      if (info != null) {
        done += info.numCompletedTasks();
        all += info.numTasks();
      }
    }
    return String.format(
        Locale.ROOT,
        "%s  %s%s",
        work,
        all == 0 ? "" : done + " of " + all + " tasks of this stage, ",
        Durations.words((System.nanoTime() - started) / 1e9));
  }
}
