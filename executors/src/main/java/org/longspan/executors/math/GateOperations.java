package org.longspan.executors.math;

import org.longspan.executors.memory.Matrix;

/**
 * What gated linear attention does to rows between its projection and its kernel, forward and
 * backward. A row is a token.
 *
 * <p>Threading: as {@link RowOperations}.
 */
public interface GateOperations {
  /** {@code gates = log σ(x + bias) / 16}, at most 0 (GLA, arXiv 2312.06635). */
  void logGates(Matrix x, Matrix bias, Matrix gates);

  /** {@code dx} (overwritten), and adds to {@code dbias}. */
  void logGatesGradient(Matrix x, Matrix bias, Matrix gatesGradient, Matrix dx, Matrix dbias);

  /** {@code out = σ(x)}. */
  void sigmoid(Matrix x, Matrix out);

  /** {@code dx = σ(x)(1 − σ(x)) · dout} (overwritten). */
  void sigmoidGradient(Matrix x, Matrix outGradient, Matrix dx);

  /**
   * Each head of {@code headWidth} columns over its length, {@code out = x / √(Σx² + ε)}; {@code
   * out} may be {@code x}.
   */
  void unitHeads(Matrix x, int headWidth, Matrix out);

  /**
   * Turns {@code gradient}, of {@link #unitHeads}' output, into that of {@code x}, in place: {@code
   * dx = r (g − x r² (x·g))}, {@code r = 1/√(Σx² + ε)}.
   */
  void unitHeadsGradient(Matrix x, int headWidth, Matrix gradient);
}
