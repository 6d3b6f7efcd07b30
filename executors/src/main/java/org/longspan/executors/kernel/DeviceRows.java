package org.longspan.executors.kernel;

import java.util.Arrays;
import org.longspan.executors.memory.FloatMatrix;
import org.longspan.executors.memory.Matrix;

/**
 * Copies some rows of some heads between matrices and staging arrays, where each head's columns are
 * padded.
 *
 * @param firstRow the first row, counted in the matrix
 * @param rows how many
 * @param firstHead the first head, counted in the matrix
 * @param heads how many
 * @param width columns of a head in the matrix
 * @param padded columns of a head in the array
 */
record DeviceRows(int firstRow, int rows, int firstHead, int heads, int width, int padded) {
  private static final int ROWS_AT_ONCE = 64;

  /** Into {@code array} from {@code offset} on, the padding zero. */
  void stage(Workers workers, Matrix from, float[] array, int offset) {
    FloatMatrix matrix = (FloatMatrix) from;
    forEachRow(
        workers,
        row -> {
          int at = offset + row * heads * padded;
          if (width == padded) {
            matrix.read(firstRow + row, firstHead * width, array, at, heads * width);
            return;
          }
          for (int head = 0; head < heads; head++) {
            int to = at + head * padded;
            matrix.read(firstRow + row, (firstHead + head) * width, array, to, width);
            Arrays.fill(array, to + width, to + padded, 0f);
          }
        });
  }

  /** Overwrites the matrix's numbers. */
  void take(Workers workers, float[] array, int offset, Matrix to) {
    FloatMatrix matrix = (FloatMatrix) to;
    forEachRow(
        workers,
        row -> {
          int at = offset + row * heads * padded;
          for (int head = 0; head < heads; head++) {
            matrix.write(
                firstRow + row, (firstHead + head) * width, array, at + head * padded, width);
          }
        });
  }

  /** Adds to the matrix's numbers. */
  void add(Workers workers, float[] array, int offset, Matrix to) {
    FloatMatrix matrix = (FloatMatrix) to;
    forEachBlock(
        workers,
        (from, end) -> {
          float[] sums = new float[width];
          for (int row = from; row < end; row++) {
            for (int head = 0; head < heads; head++) {
              int at = offset + (row * heads + head) * padded;
              int column = (firstHead + head) * width;
              matrix.read(firstRow + row, column, sums, 0, width);
              for (int i = 0; i < width; i++) {
                sums[i] += array[at + i];
              }
              matrix.write(firstRow + row, column, sums, 0, width);
            }
          }
        });
  }

  private interface Row {
    void accept(int row);
  }

  private interface Block {
    void accept(int from, int to);
  }

  private void forEachRow(Workers workers, Row work) {
    forEachBlock(
        workers,
        (from, to) -> {
          for (int row = from; row < to; row++) {
            work.accept(row);
          }
        });
  }

  private void forEachBlock(Workers workers, Block work) {
    workers.forEach(
        (rows + ROWS_AT_ONCE - 1) / ROWS_AT_ONCE,
        block -> work.accept(block * ROWS_AT_ONCE, Math.min(rows, (block + 1) * ROWS_AT_ONCE)));
  }
}
