package org.longspan.parallelism.transport;

/**
 * A message that could not be sent or did not arrive as it should: one sentence with rank, peer and
 * channel.
 */
public final class TransportException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  public TransportException(String sentence) {
    super(sentence);
  }

  public TransportException(String sentence, Throwable cause) {
    super(sentence, cause);
  }
}
