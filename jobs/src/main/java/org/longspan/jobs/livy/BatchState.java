package org.longspan.jobs.livy;

import java.util.Locale;

/** What Livy says of a batch, as far as it matters to who waits for its end. */
enum BatchState {
  /** Not at work yet, or of a kind that Livy did not have when this was written. */
  WAITING,
  RUNNING,
  /** Ended with exit code 0. */
  SUCCEEDED,
  /** Ended otherwise. */
  FAILED,
  /** Ended by somebody's order. */
  KILLED;

  /**
   * What a word of Livy's stands for.
   *
   * @param name as Livy writes it, such as {@code dead}
   */
  static BatchState of(String name) {
    return switch (name.toLowerCase(Locale.ROOT)) {
      case "running", "busy", "idle", "shutting_down" -> RUNNING;
      case "success" -> SUCCEEDED;
      case "dead", "error" -> FAILED;
      case "killed" -> KILLED;
      default -> WAITING;
    };
  }

  boolean ended() {
    return switch (this) {
      case WAITING, RUNNING -> false;
      case SUCCEEDED, FAILED, KILLED -> true;
    };
  }
}
