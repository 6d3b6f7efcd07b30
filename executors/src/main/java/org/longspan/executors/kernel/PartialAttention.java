package org.longspan.executors.kernel;

import org.longspan.executors.memory.Matrix;

/**
 * Softmax attention of some queries to some of the keys that they see, on a device. Results over
 * more keys are joined from such parts by their log sums.
 *
 * <p>Shapes, for the rows and keys of the ranges: {@code q} {@code [rows, heads · keyWidth]},
 * already scaled; {@code k} {@code [keys, heads · keyWidth]}, {@code v} {@code [keys, heads ·
 * valueWidth]}; {@code o} {@code [rows, heads · valueWidth]}; {@code logSums} {@code [rows,
 * heads]}.
 *
 * <p>Threading: one call at a time; a call uses the workers it was made with.
 */
public interface PartialAttention extends AutoCloseable {
  /** {@code o = softmax(q kᵀ) v} over these keys alone, and the logs of the sums over them. */
  void forward(Matrix q, Matrix k, Matrix v, SoftmaxRanges seen, Matrix o, Matrix logSums);

  /**
   * What these keys give of {@code dq}, and these queries of {@code dk, dv} (overwritten).
   *
   * @param logSums over all keys that a query sees
   * @param means {@code rowsum(dO ⊙ O)} of each head, {@code O} over all keys
   */
  void backward(
      Matrix q,
      Matrix k,
      Matrix v,
      Matrix logSums,
      Matrix means,
      Matrix outputGradient,
      SoftmaxRanges seen,
      Matrix dq,
      Matrix dk,
      Matrix dv);

  /** Rows and keys that a call had better not have more of: a power of two. */
  int span();

  /** What computes it, for the run's first lines. */
  String description();

  @Override
  void close();
}
