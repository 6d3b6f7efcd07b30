package org.longspan.executors.kernel;

import org.longspan.executors.memory.Matrix;

/**
 * Linear attention with a constant decay for each head over one rank's slice: {@code S_t = λ
 * S_{t−1} + k_t v_tᵀ}, {@code o_t = S_tᵀ q_t}, {@code λ = exp(−slope)} (Lightning Attention-2,
 * arXiv 2401.04658). What crosses ranks is split off, so that it can travel while the local part is
 * computed: the sum over a slice is linear in the state that comes in.
 *
 * <p>Shapes: {@code q, k} {@code [tokens, heads · keyWidth]}, {@code v, o} {@code [tokens, heads ·
 * valueWidth]}, states {@code [heads · keyWidth, valueWidth]}. Any of them may be a view of
 * columns. The same for their gradients.
 *
 * <p>Threading: one call at a time; a call uses the workers it was made with.
 */
public interface LinearAttention extends AutoCloseable {

  /** {@code summary}: the state after the slice when the state before it is zero. */
  void summarize(Matrix k, Matrix v, Documents documents, Matrix summary);

  /** {@code o}: the outputs when the state before the slice is zero. */
  void forward(Matrix q, Matrix k, Matrix v, Documents documents, Matrix o);

  /** Adds to {@code o} what the state {@code incoming} before the slice contributes. */
  void addIncoming(Matrix q, Matrix incoming, Documents documents, Matrix o);

  /**
   * {@code summary}: the gradient of the state before the slice when that of the state after it is
   * zero.
   */
  void summarizeGradient(Matrix q, Matrix outputGradient, Documents documents, Matrix summary);

  /**
   * {@code dq, dk, dv} (overwritten), with the state {@code incoming} before the slice, when the
   * gradient of the state after it is zero.
   */
  void backward(
      Matrix q,
      Matrix k,
      Matrix v,
      Matrix outputGradient,
      Matrix incoming,
      Documents documents,
      Matrix dq,
      Matrix dk,
      Matrix dv);

  /**
   * Adds to {@code dk, dv} what {@code incomingGradient}, the gradient of the state after the
   * slice, contributes.
   */
  void addIncomingGradient(
      Matrix k, Matrix v, Matrix incomingGradient, Documents documents, Matrix dk, Matrix dv);

  /**
   * {@code λ^length} for each head: how a state fades over the slice; 0 where a document starts in
   * it.
   */
  double[] transition(Documents documents);

  /**
   * What computes it, for the run's first lines: the form, and the device's name where there is
   * one.
   */
  String description();

  @Override
  void close();
}
