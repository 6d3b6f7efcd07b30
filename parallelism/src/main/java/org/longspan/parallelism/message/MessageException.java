package org.longspan.parallelism.message;

/** A message that cannot be written or read. */
public final class MessageException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  public MessageException(String sentence) {
    super(sentence);
  }

  public MessageException(String sentence, Throwable cause) {
    super(sentence, cause);
  }
}
