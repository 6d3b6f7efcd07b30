package org.longspan.executors.kernel;

import java.util.Arrays;
import org.longspan.executors.memory.FloatMatrix;
import org.longspan.executors.memory.Matrix;
import org.longspan.executors.vector.FloatRow;

/**
 * Copies some rows of some heads between matrices and staging arrays, {@code float[]} or halves in
 * {@code char[]}, where each head's columns are padded.
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
  void stage(Workers workers, Matrix from, Object array, int offset) {
    FloatMatrix matrix = (FloatMatrix) from;
    forEachBlock(
        workers,
        (first, end) -> {
          float[] scratch = new float[heads * width];
          for (int row = first; row < end; row++) {
            int at = offset + row * heads * padded;
            if (array instanceof float[] numbers) {
              stage(matrix, row, numbers, at);
            } else {
              matrix.read(firstRow + row, firstHead * width, scratch, 0, heads * width);
              stage(scratch, (char[]) array, at);
            }
          }
        });
  }

  private void stage(FloatMatrix matrix, int row, float[] array, int at) {
    if (width == padded) {
      matrix.read(firstRow + row, firstHead * width, array, at, heads * width);
      return;
    }
    for (int head = 0; head < heads; head++) {
      int to = at + head * padded;
      matrix.read(firstRow + row, (firstHead + head) * width, array, to, width);
      Arrays.fill(array, to + width, to + padded, 0f);
    }
  }

  private void stage(float[] numbers, char[] array, int at) {
    for (int head = 0; head < heads; head++) {
      int to = at + head * padded;
      Bfloat.narrow(numbers, head * width, array, to, width);
      Arrays.fill(array, to + width, to + padded, (char) 0);
    }
  }

  /** Overwrites the matrix's numbers. */
  void take(Workers workers, Object array, int offset, Matrix to) {
    FloatMatrix matrix = (FloatMatrix) to;
    forEachBlock(
        workers,
        (from, end) -> {
          float[] numbers = new float[width];
          for (int row = from; row < end; row++) {
            int at = offset + row * heads * padded;
            if (width == padded && array instanceof float[] floats) {
              matrix.write(firstRow + row, firstHead * width, floats, at, heads * width);
            } else {
              for (int head = 0; head < heads; head++) {
                read(array, at + head * padded, numbers);
                matrix.write(firstRow + row, (firstHead + head) * width, numbers, 0, width);
              }
            }
          }
        });
  }

  /** Adds to the matrix's numbers. */
  void add(Workers workers, Object array, int offset, Matrix to) {
    FloatMatrix matrix = (FloatMatrix) to;
    forEachBlock(
        workers,
        (from, end) -> {
          float[] sums = new float[width];
          float[] numbers = new float[width];
          for (int row = from; row < end; row++) {
            for (int head = 0; head < heads; head++) {
              int column = (firstHead + head) * width;
              read(array, offset + (row * heads + head) * padded, numbers);
              matrix.read(firstRow + row, column, sums, 0, width);
              for (int i = 0; i < width; i++) {
                sums[i] += numbers[i];
              }
              matrix.write(firstRow + row, column, sums, 0, width);
            }
          }
        });
  }

  /** {@code Σ a · b} of each head of each row, into the start of {@code into}. */
  void dots(Workers workers, Matrix a, Matrix b, float[] into) {
    FloatMatrix first = (FloatMatrix) a;
    FloatMatrix second = (FloatMatrix) b;
    int columns = heads * width;
    forEachBlock(
        workers,
        (from, end) -> {
          float[] left = new float[columns];
          float[] right = new float[columns];
          for (int row = from; row < end; row++) {
            first.read(firstRow + row, firstHead * width, left, 0, columns);
            second.read(firstRow + row, firstHead * width, right, 0, columns);
            for (int head = 0; head < heads; head++) {
              into[row * heads + head] =
                  FloatRow.dot(left, head * width, right, head * width, width);
            }
          }
        });
  }

  private void read(Object array, int at, float[] numbers) {
    if (array instanceof float[] floats) {
      System.arraycopy(floats, at, numbers, 0, width);
    } else {
      Bfloat.widen((char[]) array, at, numbers, 0, width);
    }
  }

  private interface Block {
    void accept(int from, int to);
  }

  private void forEachBlock(Workers workers, Block work) {
    workers.forEach(
        (rows + ROWS_AT_ONCE - 1) / ROWS_AT_ONCE,
        block -> work.accept(block * ROWS_AT_ONCE, Math.min(rows, (block + 1) * ROWS_AT_ONCE)));
  }
}
