package org.longspan.jobs.livy;

import java.io.IOException;

/** Livy gave no answer; whether it did what it was asked to is not known. */
final class LivyAwayException extends IOException {
  private static final long serialVersionUID = 1L;

  private final boolean reached;

  /**
   * @param reached whether the request may have arrived
   */
  LivyAwayException(String reason, boolean reached, Throwable cause) {
    super(reason, cause);
    this.reached = reached;
  }

  boolean reached() {
    return reached;
  }
}
