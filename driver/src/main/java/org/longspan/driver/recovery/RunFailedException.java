package org.longspan.driver.recovery;

/** A run ended without its result: one sentence with the rank, its host and what went wrong. */
public final class RunFailedException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  public RunFailedException(String sentence, Throwable cause) {
    super(sentence, cause);
  }
}
