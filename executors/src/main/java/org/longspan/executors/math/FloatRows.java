package org.longspan.executors.math;

import java.util.Arrays;

/** Rows that a thread works on; they grow to the widest that it met and stay. */
final class FloatRows {
  private float[][] rows = new float[0][];

  /** Row {@code index}, of at least {@code length} numbers, holding whatever was left in it. */
  float[] row(int index, int length) {
    if (index >= rows.length) {
      int had = rows.length;
      rows = Arrays.copyOf(rows, index + 1);
      Arrays.fill(rows, had, rows.length, new float[0]);
    }
    if (rows[index].length < length) {
      rows[index] = new float[length];
    }
    return rows[index];
  }
}
