package org.longspan.executors.kernel;

import org.longspan.executors.memory.Matrix;

/**
 * Linear attention over one piece of a sequence, a rank's slice or a block of it: a state that each
 * token changes, {@code S_t = M_t S_{t−1} + u_t v_tᵀ}, {@code o_t = S_tᵀ q_t}.
 *
 * <ul>
 *   <li>constant decay, {@code S_t = λ S_{t−1} + k_t v_tᵀ} (Lightning Attention-2, arXiv
 *       2401.04658);
 *   <li>gates, {@code S_t = diag(exp g_t) S_{t−1} + k_t v_tᵀ} (GLA, arXiv 2312.06635);
 *   <li>the gated delta rule, {@code S_t = exp(g_t) (I − β_t k_t k_tᵀ) S_{t−1} + β_t k_t v_tᵀ},
 *       {@code |k_t| = 1} (arXiv 2412.06464).
 * </ul>
 *
 * What comes from the tokens before the piece is split off, so that it can travel while the piece's
 * own part is computed: outputs and gradients are linear in the state that comes in, and in the
 * gradient of the state that goes out.
 *
 * <p>Shapes: as {@link LinearTensors}; {@code o} {@code [tokens, heads · valueWidth]}, states
 * {@code [heads · keyWidth, valueWidth]}, transitions {@code [heads · keyWidth,} {@link
 * #transitionColumns()}{@code ]}. Any of them may be a view of columns.
 *
 * <p>Threading: one call at a time; a call uses the workers it was made with.
 */
public interface LinearAttention extends AutoCloseable {

  /**
   * {@code summary}: the state after the piece when the state before it is zero; {@code
   * transition}: what becomes of a state over the piece, all zero where a document starts in it.
   */
  void summarize(LinearTensors inputs, Documents documents, Matrix summary, Matrix transition);

  /** {@code o}: the outputs when the state before the piece is zero. */
  void forward(LinearTensors inputs, Documents documents, Matrix o);

  /** Adds to {@code o} what the state {@code incoming} before the piece contributes. */
  void addIncoming(LinearTensors inputs, Matrix incoming, Documents documents, Matrix o);

  /**
   * {@link #forward(LinearTensors, Documents, Matrix)} and {@link #addIncoming} in one, which need
   * not do all of the first before it waits for the state: what is left then starts from it.
   */
  default void forward(LinearTensors inputs, StateArrival incoming, Documents documents, Matrix o) {
    forward(inputs, documents, o);
    addIncoming(inputs, incoming.await(), documents, o);
  }

  /**
   * {@code summary}: the gradient of the state before the piece when that of the state after it is
   * zero.
   */
  void summarizeGradient(
      LinearTensors inputs, Matrix outputGradient, Documents documents, Matrix summary);

  /**
   * {@code gradients} (overwritten), with the state {@code incoming} before the piece, when the
   * gradient of the state after it is zero.
   */
  void backward(
      LinearTensors inputs,
      Matrix outputGradient,
      Matrix incoming,
      Documents documents,
      LinearTensors gradients);

  /**
   * Adds to {@code gradients} what {@code incomingGradient}, the gradient of the state after the
   * piece, contributes; {@code incoming} is the state before the piece, as in {@link #backward}.
   */
  void addIncomingGradient(
      LinearTensors inputs,
      Matrix incoming,
      Matrix incomingGradient,
      Documents documents,
      LinearTensors gradients);

  /**
   * {@link #backward(LinearTensors, Matrix, Matrix, Documents, LinearTensors)} and {@link
   * #addIncomingGradient} in one, likewise.
   */
  default void backward(
      LinearTensors inputs,
      Matrix outputGradient,
      Matrix incoming,
      StateArrival incomingGradient,
      Documents documents,
      LinearTensors gradients) {
    backward(inputs, outputGradient, incoming, documents, gradients);
    addIncomingGradient(inputs, incoming, incomingGradient.await(), documents, gradients);
  }

  /**
   * Columns of a transition: 1 where each row of a state has a factor of its own, the key width
   * where each head has a matrix {@code M}.
   */
  int transitionColumns();

  /**
   * What computes it, for the run's first lines: the form, and the device's name where there is
   * one.
   */
  String description();

  @Override
  void close();
}
