package org.longspan.executors.math;

import org.bytedeco.openblas.global.openblas_nolapack;
import org.longspan.executors.memory.FloatMatrix;
import org.longspan.executors.memory.Matrix;
import org.longspan.executors.vector.FloatNumber;

/** {@link Products} of {@code float} matrices. */
final class FloatProducts implements Products {

  @Override
  public void multiply(Matrix a, Matrix b, double keep, Matrix c) {
    check(a.rows(), a.columns(), b.rows(), b.columns(), c);
    call(
        openblas_nolapack.CblasNoTrans, openblas_nolapack.CblasNoTrans, a.columns(), a, b, keep, c);
  }

  @Override
  public void multiplyTransposed(Matrix a, Matrix b, double keep, Matrix c) {
    check(a.rows(), a.columns(), b.columns(), b.rows(), c);
    call(openblas_nolapack.CblasNoTrans, openblas_nolapack.CblasTrans, a.columns(), a, b, keep, c);
  }

  @Override
  public void transposedMultiply(Matrix a, Matrix b, double keep, Matrix c) {
    check(a.columns(), a.rows(), b.rows(), b.columns(), c);
    call(openblas_nolapack.CblasTrans, openblas_nolapack.CblasNoTrans, a.rows(), a, b, keep, c);
  }

  private static void check(long m, long k, long otherK, long n, Matrix c) {
    if (k != otherK || c.rows() != m || c.columns() != n) {
      throw new IllegalArgumentException(
          "[" + m + ", " + k + "] times [" + otherK + ", " + n + "] into " + c);
    }
  }

  private static void call(
      int transposeA, int transposeB, long k, Matrix a, Matrix b, double keep, Matrix c) {
    if (c.size() == 0) {
      return;
    }
    openblas_nolapack.cblas_sgemm(
        openblas_nolapack.CblasRowMajor,
        transposeA,
        transposeB,
        Math.toIntExact(c.rows()),
        c.columns(),
        Math.toIntExact(k),
        1f,
        ((FloatMatrix) a).pointer(0),
        Math.toIntExact(a.stride()),
        ((FloatMatrix) b).pointer(0),
        Math.toIntExact(b.stride()),
        FloatNumber.of(keep),
        ((FloatMatrix) c).pointer(0),
        Math.toIntExact(c.stride()));
  }
}
