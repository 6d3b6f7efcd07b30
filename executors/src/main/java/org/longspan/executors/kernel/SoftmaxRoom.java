package org.longspan.executors.kernel;

/**
 * How much the staging arrays of softmax attention hold at most.
 *
 * @param heads heads at once
 * @param rows rows of queries
 * @param columns rows of keys and values
 * @param storage of queries, keys, values, outputs and their gradients
 */
record SoftmaxRoom(
    int heads, int rows, int columns, int keyWidth, int valueWidth, Storage storage) {

  int rowNumbers(int width) {
    return Math.toIntExact((long) rows * heads * width);
  }

  int columnNumbers(int width) {
    return Math.toIntExact((long) columns * heads * width);
  }

  /** Bytes of the largest array. */
  long largestBytes() {
    return (long) Math.max(rows, columns)
        * heads
        * Math.max(keyWidth, valueWidth)
        * storage.bytes();
  }

  /**
   * Whether a call that needs {@code needed} does well with these arrays, which go to the device
   * whole: they hold it, and are not much larger.
   */
  boolean suits(SoftmaxRoom needed) {
    return rows >= needed.rows
        && columns >= needed.columns
        && heads >= needed.heads
        && (long) (rows + columns) * heads <= 2L * (needed.rows + needed.columns) * needed.heads;
  }
}
