package org.longspan.parallelism.collective;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.DoubleBuffer;

/** {@link Arithmetic} on {@code double}. */
final class DoubleArithmetic extends Arithmetic {
  private final double[] left = new double[SCRATCH];
  private final double[] right = new double[SCRATCH];
  private double[] factors = new double[0];
  private double[] state = new double[0];
  private double[] sum = new double[0];

  @Override
  void add(ByteBuffer sum, ByteBuffer addend) {
    checkEqual(sum.remaining(), addend.remaining());
    DoubleBuffer into = view(sum);
    DoubleBuffer from = view(addend);
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
    view(elements).put(index, value);
  }

  @Override
  void copy(Rows from, Rows into, int rows, int columns) {
    DoubleBuffer source = view(from.bytes());
    DoubleBuffer target = view(into.bytes());
    for (int row = 0; row < rows; row++) {
      target.put(into.at(row), source, from.at(row), columns);
    }
  }

  @Override
  void scale(
      ByteBuffer factors, int first, Rows before, Rows summary, Rows after, int rows, int columns) {
    DoubleBuffer each = view(factors);
    DoubleBuffer from = view(before.bytes());
    DoubleBuffer own = view(summary.bytes());
    DoubleBuffer into = view(after.bytes());
    for (int row = 0; row < rows; row++) {
      double factor = each.get(first + row);
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
    DoubleBuffer from = view(before.bytes());
    for (int row = 0; row < rows; row++) {
      from.get(before.at(row), state, row * columns, columns);
    }
    DoubleBuffer own = view(summary.bytes());
    DoubleBuffer into = view(after.bytes());
    int rowStep = direction == ScanDirection.FORWARD ? rows : 1;
    int columnStep = direction == ScanDirection.FORWARD ? 1 : rows;
    for (int row = 0; row < rows; row++) {
      own.get(summary.at(row), sum, 0, columns);
      for (int inner = 0; inner < rows; inner++) {
        double factor = factors[row * rowStep + inner * columnStep];
        if (factor != 0) {
          addMultiple(factor, state, inner * columns, sum, columns);
        }
      }
      into.put(after.at(row), sum, 0, columns);
    }
  }

  private static void addMultiple(
      double factor, double[] addend, int start, double[] sum, int length) {
    for (int i = 0; i < length; i++) {
      sum[i] += factor * addend[start + i];
    }
  }

  private void grow(int rows, int columns) {
    if (factors.length < rows * rows) {
      factors = new double[rows * rows];
    }
    if (state.length < rows * columns) {
      state = new double[rows * columns];
    }
    if (sum.length < columns) {
      sum = new double[columns];
    }
  }

  private static DoubleBuffer view(ByteBuffer bytes) {
    return bytes.slice().order(ByteOrder.nativeOrder()).asDoubleBuffer();
  }
}
