package org.longspan.executors.kernel;

import org.longspan.executors.memory.FloatMatrix;
import org.longspan.executors.memory.Matrix;

/**
 * Copies some heads' columns of some rows between matrices and staging arrays.
 *
 * @param firstHead the first head, counted in the matrix
 * @param heads how many
 */
record SoftmaxColumns(Workers workers, int firstHead, int heads) {
  private static final int ROWS_AT_ONCE = 64;

  /** Rows {@code [first, first + rows)} into the start of an array. */
  void stage(Matrix from, int first, int rows, int width, float[] array) {
    FloatMatrix matrix = (FloatMatrix) from;
    forEachRow(
        rows,
        row ->
            matrix.read(
                first + (long) row, firstHead * width, array, row * heads * width, heads * width));
  }

  /** The start of an array into rows {@code [first, first + rows)}. */
  void take(float[] array, int first, int rows, int width, Matrix to) {
    FloatMatrix matrix = (FloatMatrix) to;
    forEachRow(
        rows,
        row ->
            matrix.write(
                first + (long) row, firstHead * width, array, row * heads * width, heads * width));
  }

  private interface Row {
    void accept(int row);
  }

  private void forEachRow(int rows, Row work) {
    workers.forEach(
        (rows + ROWS_AT_ONCE - 1) / ROWS_AT_ONCE,
        block -> {
          int end = Math.min(rows, (block + 1) * ROWS_AT_ONCE);
          for (int row = block * ROWS_AT_ONCE; row < end; row++) {
            work.accept(row);
          }
        });
  }
}
