package org.longspan.jobs;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Waits for what other processes do. */
public final class Waiting {
  private static final Duration LIMIT = Duration.ofMinutes(4);
  private static final Duration PAUSE = Duration.ofMillis(100);

  private Waiting() {}

  /** A condition that may fail. */
  @FunctionalInterface
  public interface Condition {
    boolean holds() throws IOException;
  }

  public static void until(String what, Condition condition)
      throws IOException, InterruptedException {
    long deadline = System.nanoTime() + LIMIT.toNanos();
    while (!condition.holds()) {
      if (System.nanoTime() > deadline) {
        throw new AssertionError("Not within " + LIMIT + ": " + what);
      }
      Thread.sleep(PAUSE.toMillis());
    }
  }

  /** The first match in a file that a process writes. */
  public static Matcher forMatch(Path file, Pattern pattern)
      throws IOException, InterruptedException {
    Matcher[] found = new Matcher[1];
    until(
        pattern + " in " + file,
        () -> {
          String text = Files.exists(file) ? Files.readString(file, StandardCharsets.UTF_8) : "";
          found[0] = pattern.matcher(text);
          return found[0].find();
        });
    return found[0];
  }

  public static int forEnd(Process process) throws InterruptedException {
    if (!process.waitFor(LIMIT.toSeconds(), TimeUnit.SECONDS)) {
      process.descendants().forEach(ProcessHandle::destroyForcibly);
      process.destroyForcibly();
      throw new AssertionError("Not ended within " + LIMIT + ": " + process.info());
    }
    return process.exitValue();
  }
}
