package org.longspan.parallelism.collective;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;

/** {@link Arithmetic} on {@code float}. */
final class FloatArithmetic extends Arithmetic {
  private final float[] left = new float[SCRATCH];
  private final float[] right = new float[SCRATCH];
  private float[] factors = new float[0];
  private float[] state = new float[0];
  private float[] sum = new float[0];

  @Override
  void add(ByteBuffer sum, ByteBuffer addend) {
    checkEqual(sum.remaining(), addend.remaining());
    FloatBuffer into = view(sum);
    FloatBuffer from = view(addend);
    for (int start = 0; start < into.limit(); start += SCRATCH) {
      int length = Math.min(SCRATCH, into.limit() - start);
      into.get(start, left, 0, length);
      from.get(start, right, 0, length);
      for (int i = 0; i < length; i++) {
        left[i] += right[i];
      }
      into.put(start, left, 0, length);
    }
  }

  @Override
  void set(ByteBuffer elements, int index, double value) {
    view(elements).put(index, (float) value);
  }

  @Override
  void copy(Rows from, Rows into, int rows, int columns) {
    FloatBuffer source = view(from.bytes());
    FloatBuffer target = view(into.bytes());
    for (int row = 0; row < rows; row++) {
      target.put(into.at(row), source, from.at(row), columns);
    }
  }

  @Override
  void scale(
      ByteBuffer factors, int first, Rows before, Rows summary, Rows after, int rows, int columns) {
    FloatBuffer each = view(factors);
    FloatBuffer from = view(before.bytes());
    FloatBuffer own = view(summary.bytes());
    FloatBuffer into = view(after.bytes());
    for (int row = 0; row < rows; row++) {
      float factor = each.get(first + row);
      for (int column = 0; column < columns; column += SCRATCH) {
        int length = Math.min(SCRATCH, columns - column);
        own.get(summary.at(row) + column, right, 0, length);
        if (factor != 0) {
          from.get(before.at(row) + column, left, 0, length);
          for (int i = 0; i < length; i++) {
            right[i] += factor * left[i];
          }
        }
        into.put(after.at(row) + column, right, 0, length);
      }
    }
  }

  @Override
  void multiply(
      ScanDirection direction,
      ByteBuffer matrix,
      int first,
      Rows before,
      Rows summary,
      Rows after,
      int rows,
      int columns) {
    grow(rows, columns);
    view(matrix).get(first, factors, 0, rows * rows);
    FloatBuffer from = view(before.bytes());
    for (int row = 0; row < rows; row++) {
      from.get(before.at(row), state, row * columns, columns);
    }
    FloatBuffer own = view(summary.bytes());
    FloatBuffer into = view(after.bytes());
    int rowStep = direction == ScanDirection.FORWARD ? rows : 1;
    int columnStep = direction == ScanDirection.FORWARD ? 1 : rows;
    for (int row = 0; row < rows; row++) {
      own.get(summary.at(row), sum, 0, columns);
      for (int inner = 0; inner < rows; inner++) {
        float factor = factors[row * rowStep + inner * columnStep];
        if (factor != 0) {
          addMultiple(factor, state, inner * columns, sum, columns);
        }
      }
      into.put(after.at(row), sum, 0, columns);
    }
  }

  private static void addMultiple(
      float factor, float[] addend, int start, float[] sum, int length) {
    for (int i = 0; i < length; i++) {
      sum[i] += factor * addend[start + i];
    }
  }

  private void grow(int rows, int columns) {
    if (factors.length < rows * rows) {
      factors = new float[rows * rows];
    }
    if (state.length < rows * columns) {
      state = new float[rows * columns];
    }
    if (sum.length < columns) {
      sum = new float[columns];
    }
  }

  private static FloatBuffer view(ByteBuffer bytes) {
    return bytes.slice().order(ByteOrder.nativeOrder()).asFloatBuffer();
  }
}
