package org.longspan.parallelism.collective;

import java.nio.ByteBuffer;

/**
 * Loops over the elements of buffers, in native byte order, from position to limit; no position
 * moves. Elements are copied into small arrays and back, which the compiler turns into vector code.
 *
 * <p>Threading: one thread at a time, because of the scratch.
 */
abstract sealed class Arithmetic permits FloatArithmetic, DoubleArithmetic {
  /** Elements of a piece of scratch. */
  static final int SCRATCH = 2048;

  /** {@code sum += addend}. */
  abstract void add(ByteBuffer sum, ByteBuffer addend);

  /**
   * {@code next = factor ⊙ previous + summary} for rows of {@code columns} elements, one factor a
   * row, from {@code factors[first]} on. A factor of 0 drops the row of {@code previous}, whatever
   * it holds.
   */
  abstract void recur(
      ByteBuffer previous,
      double[] factors,
      int first,
      int columns,
      ByteBuffer summary,
      ByteBuffer next);

  static void checkEqual(int bytes, int other) {
    if (bytes != other) {
      throw new IllegalArgumentException(
          "Buffers of " + bytes + " and " + other + " bytes do not go together");
    }
  }
}
