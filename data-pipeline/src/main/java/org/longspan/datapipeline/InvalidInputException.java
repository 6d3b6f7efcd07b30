package org.longspan.datapipeline;

/**
 * A mistake in what a user gave: one sentence that names the file, the field or the rank, what was
 * found and what would do. The command line prints the sentence alone and exits with code 2.
 */
public final class InvalidInputException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  public InvalidInputException(String sentence) {
    super(sentence);
  }

  public InvalidInputException(String sentence, Throwable cause) {
    super(sentence, cause);
  }
}
