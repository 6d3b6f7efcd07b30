package org.longspan.executors.convert;

import org.longspan.executors.memory.Matrix;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/** Matrices of any precision as arrays in double, and back. */
final class DoubleArrays {
  private DoubleArrays() {}

  static INDArray of(Matrix matrix) {
    double[][] values = new double[Math.toIntExact(matrix.rows())][matrix.columns()];
    for (int row = 0; row < values.length; row++) {
      for (int column = 0; column < matrix.columns(); column++) {
        values[row][column] = matrix.get(row, column);
      }
    }
    return Nd4j.createFromArray(values);
  }

  static void write(INDArray values, Matrix into) {
    for (int row = 0; row < into.rows(); row++) {
      for (int column = 0; column < into.columns(); column++) {
        into.put(row, column, values.getDouble(row, column));
      }
    }
  }
}
