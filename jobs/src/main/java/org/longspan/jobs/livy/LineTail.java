package org.longspan.jobs.livy;

import java.util.List;

/**
 * Tells which lines are new where only the last ones of a text can be had. Where more lines came
 * than fit, those between are lost.
 *
 * <p>Not thread-safe.
 */
final class LineTail {
  private List<String> last = List.of();

  /** The lines of {@code window} behind those that the last window ended with. */
  List<String> news(List<String> window) {
    int known = overlap(window);
    last = List.copyOf(window);
    return last.subList(known, last.size());
  }

  /** The most lines that the last window ends with and this one begins with. */
  private int overlap(List<String> window) {
    for (int lines = Math.min(last.size(), window.size()); lines > 0; lines--) {
      if (last.subList(last.size() - lines, last.size()).equals(window.subList(0, lines))) {
        return lines;
      }
    }
    return 0;
  }
}
