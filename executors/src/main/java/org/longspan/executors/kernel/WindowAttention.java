package org.longspan.executors.kernel;

import org.longspan.executors.memory.Matrix;

/**
 * Causal softmax attention over a sliding window: a token sees itself and at most {@code window −
 * 1} tokens of its document before it. Softmax with the running maximum and sum, never a {@code
 * tokens × tokens} matrix.
 *
 * <p>Shapes: {@code q} {@code [tokens, heads · keyWidth]}, already scaled and rotated; {@code k}
 * {@code [halo + tokens, heads · keyWidth]}, {@code v} {@code [halo + tokens, heads · valueWidth]}:
 * the first {@code halo} rows are the tokens just before the slice; {@code o} {@code [tokens, heads
 * · valueWidth]}; {@code logSums} {@code [tokens, heads]}: the log of each row's sum of
 * exponentials, which the backward needs.
 *
 * <p>Threading: one call at a time; a call uses the workers it was made with.
 */
public interface WindowAttention extends AutoCloseable {

  /**
   * {@code o} and {@code logSums} of the rows {@code [first, last)}, so that rows that need no halo
   * can go before it has come.
   */
  void forward(
      Matrix q,
      Matrix k,
      Matrix v,
      Documents documents,
      int first,
      int last,
      Matrix o,
      Matrix logSums);

  /** {@code dq, dk, dv} (overwritten, the halo's rows of {@code dk, dv} included). */
  void backward(
      Matrix q,
      Matrix k,
      Matrix v,
      Matrix o,
      Matrix logSums,
      Matrix outputGradient,
      Documents documents,
      Matrix dq,
      Matrix dk,
      Matrix dv);

  /** What computes it, for the run's first lines. */
  String description();

  @Override
  void close();
}
