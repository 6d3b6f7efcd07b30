package org.longspan.executors.vector;

import java.util.Arrays;
import jdk.incubator.vector.FloatVector;

/**
 * A small row-major matrix on the heap, for one thread's scratch: its rows and columns are padded
 * to whole vectors with zeros, which products may read and sum without harm.
 *
 * <p>Threading: one thread at a time.
 */
public final class FloatTile {
  /** Rows and columns are padded to a multiple of this. */
  static final int PAD = Math.max(4, FloatVector.SPECIES_PREFERRED.length());

  private final float[] numbers;
  private final int stride;

  /** A tile of zeros for at most {@code rows} rows and {@code columns} columns. */
  public FloatTile(int rows, int columns) {
    this.stride = padded(columns);
    this.numbers = new float[Math.multiplyExact(padded(rows), stride)];
  }

  /** {@code size} rounded up to whole vectors. */
  public static int padded(int size) {
    return Math.addExact(size, PAD - 1) / PAD * PAD;
  }

  /** The numbers, row after row. */
  public float[] numbers() {
    return numbers;
  }

  /** Numbers from one row's start to the next one's. */
  public int stride() {
    return stride;
  }

  /** Sets every number to zero. */
  public void zero() {
    Arrays.fill(numbers, 0f);
  }

  /** Sets the rows {@code [rows, padded(rows))} to zero: padding below a tile that is not full. */
  public void zeroBelow(int rows) {
    Arrays.fill(numbers, rows * stride, padded(rows) * stride, 0f);
  }

  /** Copies another tile of the same shape. */
  public void set(FloatTile source) {
    System.arraycopy(source.numbers, 0, numbers, 0, numbers.length);
  }
}
