package org.longspan.driver.progress;

import java.util.Locale;

/** Durations as a person reads them. */
public final class Durations {
  private Durations() {}

  /** Two units at most: {@code 42 s}, {@code 3 min 20 s}, {@code 2 h 5 min}, {@code 3 d 4 h}. */
  public static String words(double seconds) {
    long whole = Math.max(0, Math.round(seconds));
    if (whole < 60) {
      return whole + " s";
    }
    if (whole < 3600) {
      return pair(whole, 60, "min", 1, "s");
    }
    if (whole < 86_400) {
      return pair(whole, 3600, "h", 60, "min");
    }
    return pair(whole, 86_400, "d", 3600, "h");
  }

  private static String pair(long seconds, long large, String name, long small, String smallName) {
    return String.format(
        Locale.ROOT, "%d %s %d %s", seconds / large, name, seconds % large / small, smallName);
  }
}
