package org.longspan.executors.kernel;

import org.longspan.executors.memory.FloatMatrix;
import org.longspan.executors.memory.Matrix;
import org.longspan.executors.vector.FloatRow;

/**
 * Copies some heads' columns of some rows between matrices and staging arrays, {@code float[]} or
 * halves in {@code char[]}.
 *
 * @param firstHead the first head, counted in the matrix
 * @param heads how many
 */
record SoftmaxColumns(Workers workers, int firstHead, int heads) {
  private static final int ROWS_AT_ONCE = 64;

  /** Rows {@code [first, first + rows)} into the start of an array, each head's columns padded. */
  void stage(Matrix from, int first, int rows, int width, int padded, Object array) {
    new DeviceRows(first, rows, firstHead, heads, width, padded).stage(workers, from, array, 0);
  }

  /** {@code Σ a · b} of each head of each of the first rows, into the start of an array. */
  void dots(Matrix a, Matrix b, int rows, int width, float[] into) {
    FloatMatrix first = (FloatMatrix) a;
    FloatMatrix second = (FloatMatrix) b;
    int columns = heads * width;
    forEachBlock(
        rows,
        (begin, end) -> {
          float[] left = new float[columns];
          float[] right = new float[columns];
          for (int row = begin; row < end; row++) {
            first.read(row, firstHead * width, left, 0, columns);
            second.read(row, firstHead * width, right, 0, columns);
            for (int head = 0; head < heads; head++) {
              into[row * heads + head] =
                  FloatRow.dot(left, head * width, right, head * width, width);
            }
          }
        });
  }

  /** The start of an array, each head's columns padded, into rows {@code [first, first + rows)}. */
  void take(Object array, int first, int rows, int width, int padded, Matrix to) {
    new DeviceRows(first, rows, firstHead, heads, width, padded).take(workers, array, 0, to);
  }

  private interface Block {
    void accept(int begin, int end);
  }

  private void forEachBlock(int rows, Block work) {
    workers.forEach(
        (rows + ROWS_AT_ONCE - 1) / ROWS_AT_ONCE,
        block -> work.accept(block * ROWS_AT_ONCE, Math.min(rows, (block + 1) * ROWS_AT_ONCE)));
  }
}
