package org.longspan.executors.math;

import org.longspan.executors.memory.Matrix;

/**
 * Products of matrices, by the BLAS that ND4J brings, called on pointers: the calling thread does
 * the whole product, so that several may work side by side on different rows.
 */
public interface Products {

  /** {@code c = a·b + keep·c}; {@code a} {@code [m, k]}, {@code b} {@code [k, n]}. */
  void multiply(Matrix a, Matrix b, double keep, Matrix c);

  /** {@code c = a·bᵀ + keep·c}; {@code a} {@code [m, k]}, {@code b} {@code [n, k]}. */
  void multiplyTransposed(Matrix a, Matrix b, double keep, Matrix c);

  /** {@code c = aᵀ·b + keep·c}; {@code a} {@code [k, m]}, {@code b} {@code [k, n]}. */
  void transposedMultiply(Matrix a, Matrix b, double keep, Matrix c);
}
