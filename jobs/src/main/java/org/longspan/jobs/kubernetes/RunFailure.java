package org.longspan.jobs.kubernetes;

/** A run that did not succeed on its cluster; the message is a sentence for the user. */
public final class RunFailure extends RuntimeException {
  private static final long serialVersionUID = 1L;

  RunFailure(String message) {
    super(message);
  }
}
