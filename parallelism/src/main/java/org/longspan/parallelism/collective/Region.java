package org.longspan.parallelism.collective;

/** A rectangle of a state's rows and columns. */
record Region(int firstRow, int rows, int firstColumn, int columns) {
  /** All of a state. */
  static Region all(StateShape shape) {
    return new Region(0, shape.rows(), 0, shape.valueWidth());
  }

  int elements() {
    return rows * columns;
  }
}
