package org.longspan.jobs;

import java.io.OutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import org.apache.hadoop.util.ShutdownHookManager;

/** A clean end after Ctrl-C: files are completed before Spark and the file systems are closed. */
final class Interruption {
  /** Above Spark's own hooks (50) and Hadoop's file systems' (10), which then still work. */
  private static final int PRIORITY = 100;

  private Interruption() {}

  /** Does {@code work}; where Java is told to end meanwhile, {@code end} is done as well. */
  static void during(Runnable work, Runnable end) {
    ShutdownHookManager hooks = ShutdownHookManager.get();
    Runnable quietly =
        () -> {
          silence();
          end.run();
        };
    hooks.addShutdownHook(quietly, PRIORITY);
    try {
      work.run();
    } finally {
      if (!hooks.isShutdownInProgress()) {
        hooks.removeShutdownHook(quietly);
      }
    }
  }

  /**
   * What libraries say from now on, they say because they are ended in the middle of their work:
   * into the log, from a thread that dies, or, as Scala's promises do, straight to standard error.
   */
  private static void silence() {
    LibraryLog.intoNothing();
    Thread.setDefaultUncaughtExceptionHandler((thread, ending) -> {});
    System.setErr(new PrintStream(OutputStream.nullOutputStream(), false, StandardCharsets.UTF_8));
  }

  /** Whether Java is ending; what fails from then on fails because of that. */
  static boolean underWay() {
    Thread probe = new Thread(() -> {});
    try {
      Runtime.getRuntime().addShutdownHook(probe);
      return !Runtime.getRuntime().removeShutdownHook(probe);
    } catch (IllegalStateException ending) {
      return true;
    }
  }
}
