package org.longspan.executors.latent;

import org.longspan.executors.memory.Matrix;
import org.longspan.executors.memory.Precision;

/**
 * What latent attention does to rows between its products, over all rows of the matrices given. A
 * row is a token; columns of numbers for each token are matrices of one column.
 *
 * <p>Threading: calls from several threads on different rows are fine, except where a method adds
 * to a vector's gradient: each thread then has its own.
 */
interface LatentRows {
  /** Of {@code precision}. */
  static LatentRows of(Precision precision) {
    return switch (precision) {
      case FLOAT -> new FloatLatentRows();
      case DOUBLE -> new DoubleLatentRows();
    };
  }

  /** {@code squares = Σ x²} of each row. */
  void squares(Matrix x, Matrix squares);

  /** {@code inverse = 1/√(squares · factor + ε)}. */
  void inverse(Matrix squares, double factor, double epsilon, Matrix inverse);

  /** {@code out = x · inverse · gain}. */
  void normalize(Matrix x, Matrix inverse, Matrix gain, Matrix out);

  /** {@code products = Σ outGradient · gain · x} of each row. */
  void normProducts(Matrix outGradient, Matrix gain, Matrix x, Matrix products);

  /**
   * The gradient of {@link #normalize} by x where {@code inverse = 1/√(factor · Σ x² + ε)}: {@code
   * dx = inverse · gain · outGradient − x · inverse³ · factor · products}, {@code products} those
   * of {@link #normProducts} over all columns that the norm is of.
   */
  void normalizeGradient(
      Matrix outGradient,
      Matrix gain,
      Matrix x,
      Matrix inverse,
      double factor,
      Matrix products,
      Matrix dx);

  /** {@code dgain += Σ outGradient · x · inverse} over the rows. */
  void gainGradient(Matrix outGradient, Matrix x, Matrix inverse, Matrix dgain);

  /**
   * In place: each head's columns are {@code plain} ones, then {@code rotary} ones whose pairs
   * {@code (2i, 2i+1)} are turned by {@code direction · position · theta^(−2i/rotary)}; all are
   * multiplied with {@code factor}.
   *
   * @param firstPosition of the first row
   * @param direction 1, or −1 for the gradient
   */
  void turn(
      Matrix x,
      int plain,
      int rotary,
      double theta,
      long firstPosition,
      int direction,
      double factor);

  /** {@code means = Σ a · b} of each row. */
  void dots(Matrix a, Matrix b, Matrix means);

  /** {@code out = factor · x}. */
  void scaled(double factor, Matrix x, Matrix out);

  /** {@code out += factor · x}. */
  void addScaled(double factor, Matrix x, Matrix out);

  /** {@code Σ a · b} over all numbers. */
  double dot(Matrix a, Matrix b);

  /**
   * A running softmax goes on to more scores, one row for each query: they become weights relative
   * to the greatest score so far, and what was there before fades to it.
   *
   * @param outputs {@code [rows, …]}: sums relative to the maxima; what the weights give is still
   *     to be added
   * @param maxima {@code [rows, 1]}: minus infinity at first
   * @param sums {@code [rows, 1]}: of the weights
   */
  void absorb(Matrix scores, Matrix outputs, Matrix maxima, Matrix sums);

  /**
   * A running softmax takes in the result of one over other keys, one row for each query: as one
   * more score, {@code partLogSums}, whose value is {@code part}.
   *
   * @param part {@code [rows, …]}
   * @param outputs {@code [rows, …]}: sums relative to the maxima
   */
  void joinSoftmax(Matrix part, Matrix partLogSums, Matrix outputs, Matrix maxima, Matrix sums);

  /**
   * What a running softmax leaves becomes its result: {@code outputs /= sums}, {@code sums = maxima
   * + log sums}.
   */
  void finishSoftmax(Matrix outputs, Matrix maxima, Matrix sums);

  /** Sets every number. */
  void fill(Matrix x, double value);
}
