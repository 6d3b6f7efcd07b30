package org.longspan.executors.convert;

import org.longspan.executors.memory.Matrix;

/** Products of small matrices in double. */
final class DenseMatrix {
  private DenseMatrix() {}

  static double[][] of(Matrix matrix) {
    double[][] values = new double[Math.toIntExact(matrix.rows())][matrix.columns()];
    for (int row = 0; row < values.length; row++) {
      for (int column = 0; column < matrix.columns(); column++) {
        values[row][column] = matrix.get(row, column);
      }
    }
    return values;
  }

  static void write(double[][] values, Matrix into) {
    for (int row = 0; row < values.length; row++) {
      for (int column = 0; column < into.columns(); column++) {
        into.put(row, column, values[row][column]);
      }
    }
  }

  static double[][] multiply(double[][] a, double[][] b) {
    double[][] product = new double[a.length][b[0].length];
    for (int row = 0; row < a.length; row++) {
      for (int inner = 0; inner < b.length; inner++) {
        double factor = a[row][inner];
        for (int column = 0; column < b[inner].length; column++) {
          product[row][column] += factor * b[inner][column];
        }
      }
    }
    return product;
  }

  static double[][] transposed(double[][] a) {
    double[][] transposed = new double[a[0].length][a.length];
    for (int row = 0; row < a.length; row++) {
      for (int column = 0; column < a[row].length; column++) {
        transposed[column][row] = a[row][column];
      }
    }
    return transposed;
  }
}
