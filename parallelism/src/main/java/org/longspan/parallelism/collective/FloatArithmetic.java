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
  void set(ByteBuffer elements, int index, int value) {
    view(elements).put(index, value);
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
      int inner = 0;
      for (; inner + 3 < rows; inner += 4) {
        addMultiplesOfFour(row * rowStep + inner * columnStep, columnStep, inner, columns);
      }
      for (; inner < rows; inner++) {
        addMultiple(factors[row * rowStep + inner * columnStep], inner, columns);
      }
      into.put(after.at(row), sum, 0, columns);
    }
  }

  /** Adds multiples of four rows of the state, each sum in their order, as one by one. */
  private void addMultiplesOfFour(int at, int step, int row, int columns) {
    float first = factors[at];
    float second = factors[at + step];
    float third = factors[at + 2 * step];
    float fourth = factors[at + 3 * step];
    if (first != 0 && second != 0 && third != 0 && fourth != 0) {
      addMultiples(first, second, third, fourth, state, row * columns, columns, sum);
    } else {
      addMultiple(first, row, columns);
      addMultiple(second, row + 1, columns);
      addMultiple(third, row + 2, columns);
      addMultiple(fourth, row + 3, columns);
    }
  }

  private static void addMultiples(
      float first,
      float second,
      float third,
      float fourth,
      float[] rows,
      int start,
      int columns,
      float[] sum) {
    for (int i = 0; i < columns; i++) {
      float one = sum[i] + first * rows[start + i];
      float two = one + second * rows[start + columns + i];
      float three = two + third * rows[start + 2 * columns + i];
      sum[i] = three + fourth * rows[start + 3 * columns + i];
    }
  }

  private void addMultiple(float factor, int row, int columns) {
    if (factor != 0) {
      addMultiple(factor, state, row * columns, columns, sum);
    }
  }

  private static void addMultiple(float factor, float[] rows, int start, int columns, float[] sum) {
    for (int i = 0; i < columns; i++) {
      sum[i] += factor * rows[start + i];
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
