package org.longspan.jobs.livy;

/** Livy, or what stands before it, answered with an error; the message is one sentence. */
final class LivyRefusalException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  LivyRefusalException(String sentence) {
    super(sentence);
  }
}
