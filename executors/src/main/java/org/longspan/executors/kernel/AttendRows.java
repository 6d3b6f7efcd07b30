package org.longspan.executors.kernel;

import java.util.Arrays;
import org.longspan.executors.memory.FloatMatrix;

/**
 * Some rows of a slice, in an order, and how they are copied between matrices and staging arrays.
 *
 * @param first the first of them, counted in the matrix
 * @param count how many
 */
record AttendRows(int first, int count, Order order) {

  /** The order in which tokens are gone through. */
  enum Order {
    FORWARD,
    REVERSE
  }

  private int row(int index) {
    return switch (order) {
      case FORWARD -> first + index;
      case REVERSE -> first + count - 1 - index;
    };
  }

  /** {@code array} holds the rows one after another. */
  void read(FloatMatrix from, float[] array) {
    int columns = from.columns();
    for (int i = 0; i < count; i++) {
      from.read(row(i), 0, array, i * columns, columns);
    }
  }

  /** The rows become what {@code array} holds. */
  void write(float[] array, FloatMatrix to) {
    int columns = to.columns();
    for (int i = 0; i < count; i++) {
      to.write(row(i), 0, array, i * columns, columns);
    }
  }

  /** What {@code array} holds is added to the rows; {@code row} is scratch for one. */
  void add(float[] array, FloatMatrix to, float[] row) {
    int columns = to.columns();
    for (int i = 0; i < count; i++) {
      to.read(row(i), 0, row, 0, columns);
      for (int column = 0; column < columns; column++) {
        row[column] += array[i * columns + column];
      }
      to.write(row(i), 0, row, 0, columns);
    }
  }

  /** The documents of these rows in this order, given those of the whole slice. */
  Documents documents(Documents slice) {
    int[] starts = new int[slice.count()];
    int found = 0;
    for (int i = 0; i < slice.count(); i++) {
      int start = slice.start(i) - first;
      int edge =
          switch (order) {
            case FORWARD -> start;
            case REVERSE -> count - start;
          };
      if (edge >= 0 && edge < count) {
        starts[found++] = edge;
      }
    }
    int[] ascending = Arrays.copyOf(starts, found);
    Arrays.sort(ascending);
    return new Documents(count, ascending, 0);
  }
}
