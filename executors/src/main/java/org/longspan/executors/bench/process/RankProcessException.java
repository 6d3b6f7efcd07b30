package org.longspan.executors.bench.process;

/** A rank that is a process of its own and failed: one sentence that names it. */
public final class RankProcessException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  RankProcessException(String sentence) {
    super(sentence);
  }

  RankProcessException(String sentence, Throwable cause) {
    super(sentence, cause);
  }
}
