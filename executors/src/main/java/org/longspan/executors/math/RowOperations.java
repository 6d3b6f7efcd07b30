package org.longspan.executors.math;

import org.longspan.executors.memory.Matrix;

/**
 * What a model does to rows between its products, forward and backward, over all rows of the
 * matrices given. A row is a token. Vectors are matrices of one row.
 *
 * <p>Threading: calls from several threads on different rows are fine, except where a method adds
 * to a vector's gradient: each thread then has its own.
 */
public interface RowOperations {

  /**
   * RMSNorm, {@code out = x · r · gain}, {@code r = 1/√(mean(x²) + ε)}; {@code inverse} {@code
   * [rows, 1]} receives r (arXiv 1910.07467).
   */
  void normalize(Matrix x, Matrix gain, Matrix out, Matrix inverse);

  /**
   * Adds to {@code dx} and to {@code dgain} the gradients of {@link #normalize}: {@code dx = r (g −
   * x r² mean(x g))}, {@code g = dout · gain}.
   */
  void normalizeGradient(
      Matrix x, Matrix gain, Matrix inverse, Matrix outGradient, Matrix dx, Matrix dgain);

  /**
   * For each head of {@code headWidth = gain.columns()} columns: {@code out = RMSNorm(x; gain) ·
   * σ(gate)}; {@code inverse} {@code [rows, heads]}.
   */
  void normalizeAndGate(Matrix x, Matrix gate, Matrix gain, Matrix out, Matrix inverse);

  /** {@code dx} and {@code dgate} (overwritten), and adds to {@code dgain}. */
  void normalizeAndGateGradient(
      Matrix x,
      Matrix gate,
      Matrix gain,
      Matrix inverse,
      Matrix outGradient,
      Matrix dx,
      Matrix dgate,
      Matrix dgain);

  /** {@code out = x · σ(x)}. */
  void silu(Matrix x, Matrix out);

  /** {@code gradient ·= silu′(x)}. */
  void siluGradient(Matrix x, Matrix gradient);

  /**
   * {@code hidden = silu(up[:, :f]) · up[:, f:]}, {@code f = hidden.columns()} (SwiGLU, arXiv
   * 2002.05202).
   */
  void swiglu(Matrix up, Matrix hidden);

  /** {@code dup} (overwritten) from the gradient of {@code hidden}. */
  void swigluGradient(Matrix up, Matrix hiddenGradient, Matrix dup);

  /**
   * {@code out = factor · R(x)}: rotary positions in each head of {@code headWidth} columns, pairs
   * {@code (2i, 2i+1)} turned by {@code position · 10000^(−2i/headWidth)}, the first row at {@code
   * firstPosition}; {@code out} may be {@code x} (arXiv 2104.09864). An odd head's last column
   * stays.
   */
  void rotate(Matrix x, long firstPosition, int headWidth, double factor, Matrix out);

  /** The gradient of {@link #rotate}: turned back, times {@code factor}. */
  void rotateBack(Matrix gradient, long firstPosition, int headWidth, double factor, Matrix out);

  /** {@code into += from}. */
  void add(Matrix from, Matrix into);

  /**
   * {@code out[t] = x[t] + Σ_j taps[j] · x[t − j]}, for the j below {@code taps.rows()} that {@code
   * reach[t]} allows: tap j of row t is left out where j &gt; reach[t].
   *
   * @param x {@code [halo + rows, width]}, the first {@code halo} rows lie before the slice
   * @param from the first row of {@code out} that row 0 of the loop stands for
   */
  void convolve(Matrix x, int halo, Matrix taps, int[] reach, int from, int to, Matrix out);

  /**
   * The gradient of {@link #convolve} by {@code x}, for its rows {@code [from, to)}, halo included:
   * {@code dx[s] = dout[s] + Σ_j taps[j] · dout[s + j]} (a halo row has no dout of its own).
   */
  void convolveGradient(
      Matrix outGradient, int halo, Matrix taps, int[] reach, int from, int to, Matrix dx);

  /** Adds to {@code dtaps} what rows {@code [from, to)} of {@code out} give. */
  void convolveTapsGradient(
      Matrix x, int halo, Matrix outGradient, int[] reach, int from, int to, Matrix dtaps);

  /**
   * Softmax cross-entropy of each row of {@code logits} with a target of at least 0; {@code logits}
   * is overwritten with {@code scale · (softmax − onehot)}, or zero where there is no target.
   *
   * @param targets the target of row r is {@code targets[first + r]}; negative: none
   * @return the sum of the losses, in nats
   */
  double crossEntropy(Matrix logits, int[] targets, int first, double scale);

  /**
   * What some columns give to a softmax over more: each row with a target is overwritten with
   * {@code exp(x − m)}, m the row's greatest number; a row without one with zeros.
   *
   * @param targets of row r, {@code targets[first + r]}: a column counted over all, negative for
   *     none
   * @param firstColumn which of all columns the first of {@code logits} is
   * @param statistics from {@code 3 (from + r)} on receives of row r: m, the sum of what it was
   *     overwritten with, and the target's number where it is here; zeros where there is no target
   */
  void exponentials(
      Matrix logits, int[] targets, int first, int firstColumn, double[] statistics, int from);

  /**
   * Softmax cross-entropy's gradient from {@link #exponentials}: {@code logits ← factor · logits −
   * onehot}, of which only the columns that are here.
   *
   * @param factors row r's is {@code factors[from + r]}: what makes a softmax of the exponentials
   */
  void softmaxGradient(
      Matrix logits, int[] targets, int first, int firstColumn, double[] factors, int from);

  /** {@code out[t] = table[ids[first + t]]}; zeros where an id is negative. */
  void gather(Matrix table, int[] ids, int first, Matrix out);

  /** {@code table[ids[t]] += rows[t]}, for all t in order whose id is not negative. */
  void scatterAdd(Matrix rows, int[] ids, Matrix table);

  /**
   * {@code Σ x²}, in double and always in the same order, whatever the machine: ranks must find the
   * same number.
   */
  double sumOfSquares(Matrix x);

  /** {@code x ·= factor}. */
  void scale(double factor, Matrix x);
}
