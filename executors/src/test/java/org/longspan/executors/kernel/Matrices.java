package org.longspan.executors.kernel;

import java.util.Arrays;
import org.longspan.executors.memory.Arena;
import org.longspan.executors.memory.Matrix;

/** Matrices of tests: views of columns, so that nothing may take rows for neighbours. */
final class Matrices {
  private static final int MARGIN = 3;

  private Matrices() {}

  /** Holds rows of {@code numbers}, from {@code from} on. */
  static Matrix filled(Arena arena, double[] numbers, int from, int rows, int columns) {
    Matrix matrix = poisoned(arena, rows, columns);
    for (int row = 0; row < rows; row++) {
      for (int column = 0; column < columns; column++) {
        matrix.put(row, column, numbers[(from + row) * columns + column]);
      }
    }
    return matrix;
  }

  /** Holds NaN, as does what lies beside it. */
  static Matrix poisoned(Arena arena, int rows, int columns) {
    Matrix whole = arena.matrix(rows, columns + MARGIN);
    for (int row = 0; row < rows; row++) {
      for (int column = 0; column < columns + MARGIN; column++) {
        whole.put(row, column, Double.NaN);
      }
    }
    return whole.columns(1, columns + 1);
  }

  static double[] numbers(Matrix matrix) {
    int columns = matrix.columns();
    double[] numbers = new double[Math.toIntExact(matrix.size())];
    Arrays.setAll(numbers, i -> matrix.get(i / columns, i % columns));
    return numbers;
  }
}
