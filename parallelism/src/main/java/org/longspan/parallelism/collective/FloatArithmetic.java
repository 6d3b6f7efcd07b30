package org.longspan.parallelism.collective;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;

/** {@link Arithmetic} on {@code float}. */
final class FloatArithmetic extends Arithmetic {
  private final float[] left = new float[SCRATCH];
  private final float[] right = new float[SCRATCH];

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
  void recur(
      ByteBuffer previous,
      double[] factors,
      int first,
      int columns,
      ByteBuffer summary,
      ByteBuffer next) {
    checkEqual(previous.remaining(), summary.remaining());
    checkEqual(previous.remaining(), next.remaining());
    FloatBuffer from = view(previous);
    FloatBuffer own = view(summary);
    FloatBuffer into = view(next);
    for (int row = 0; row * columns < into.limit(); row++) {
      float factor = (float) factors[first + row];
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

  private static FloatBuffer view(ByteBuffer bytes) {
    return bytes.slice().order(ByteOrder.nativeOrder()).asFloatBuffer();
  }
}
