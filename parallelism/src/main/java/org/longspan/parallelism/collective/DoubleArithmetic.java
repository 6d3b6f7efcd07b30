package org.longspan.parallelism.collective;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.DoubleBuffer;

/** {@link Arithmetic} on {@code double}. */
final class DoubleArithmetic extends Arithmetic {
  private final double[] left = new double[SCRATCH];
  private final double[] right = new double[SCRATCH];

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
  void recur(
      ByteBuffer previous,
      double[] factors,
      int first,
      int columns,
      ByteBuffer summary,
      ByteBuffer next) {
    checkEqual(previous.remaining(), summary.remaining());
    checkEqual(previous.remaining(), next.remaining());
    DoubleBuffer from = view(previous);
    DoubleBuffer own = view(summary);
    DoubleBuffer into = view(next);
    for (int row = 0; row * columns < into.limit(); row++) {
      double factor = factors[first + row];
      for (int column = 0; column < columns; column += SCRATCH) {
        int start = row * columns + column;
        int length = Math.min(SCRATCH, columns - column);
        own.get(start, right, 0, length);
        if (factor != 0) {
          from.get(start, left, 0, length);
          for (int i = 0; i < length; i++) {
            right[i] += factor * left[i];
          }
        }
        into.put(start, right, 0, length);
      }
    }
  }

  private static DoubleBuffer view(ByteBuffer bytes) {
    return bytes.slice().order(ByteOrder.nativeOrder()).asDoubleBuffer();
  }
}
