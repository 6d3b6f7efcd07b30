package org.longspan.parallelism.collective;

import java.nio.ByteBuffer;

/**
 * Loops over the elements of buffers, in native byte order, from position to limit; no position
 * moves. Elements are copied into small arrays and back, which the compiler turns into vector code.
 * Each element is computed by the same operations in the same order, however rows and columns are
 * cut into calls.
 *
 * <p>Threading: one thread at a time, because of the scratch.
 */
abstract sealed class Arithmetic permits FloatArithmetic, DoubleArithmetic {
  /** Elements of a piece of scratch. */
  static final int SCRATCH = 2048;

  /** {@code sum += addend}. */
  abstract void add(ByteBuffer sum, ByteBuffer addend);

  /** Sets one element. */
  abstract void set(ByteBuffer elements, int index, int value);

  /** {@code into = from}. */
  abstract void copy(Rows from, Rows into, int rows, int columns);

  /**
   * {@code after = factor ⊙ before + summary}, {@code [rows, columns]}, one factor a row, from
   * element {@code first} of {@code factors} on. A factor of 0 drops the row of {@code before},
   * whatever it holds. {@code after} may be {@code before} or {@code summary}.
   */
  abstract void scale(
      ByteBuffer factors, int first, Rows before, Rows summary, Rows after, int rows, int columns);

  /**
   * {@code after = M·before + summary} forward, with the transpose of M backward; {@code [rows,
   * columns]}, M is {@code [rows, rows]} from element {@code first} of {@code matrix} on. An
   * element of 0 in M drops what it would multiply. {@code after} may be {@code before}, {@code
   * summary} or M.
   */
  abstract void multiply(
      ScanDirection direction,
      ByteBuffer matrix,
      int first,
      Rows before,
      Rows summary,
      Rows after,
      int rows,
      int columns);

  static void checkEqual(int bytes, int other) {
    if (bytes != other) {
      throw new IllegalArgumentException(
          "Buffers of " + bytes + " and " + other + " bytes do not go together");
    }
  }
}
