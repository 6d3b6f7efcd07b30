package org.longspan.executors.kernel;

import org.longspan.executors.opencl.DeviceKernel;
import org.longspan.executors.opencl.LaunchShape;

/**
 * What every kernel of causal softmax attention has: staging arrays for some heads, some rows of
 * queries, and the keys and values that they see.
 *
 * <p>Layouts: {@code queries} {@code [rows, heads, keyWidth]}, {@code keys} {@code [columns, heads,
 * keyWidth]}, {@code values} {@code [columns, heads, valueWidth]}, {@code logSums} {@code [rows,
 * heads]}. Row r sees the columns from {@code lowest[r]} to below {@code ends[r]}, neither of which
 * falls from row to row.
 */
abstract class SoftmaxKernel extends DeviceKernel {
  final float[] queries;
  final float[] keys;
  final float[] values;
  final char[] queryHalves;
  final char[] keyHalves;
  final char[] valueHalves;
  final float[] logSums;
  final int[] lowest;
  final int[] ends;
  int heads;
  int keyWidth;
  int valueWidth;
  int rows;
  int columns;

  /** 1 where all but sums are kept in halves, in arrays of their own. */
  int isNarrow;

  SoftmaxKernel(SoftmaxRoom room) {
    Storage storage = room.storage();
    this.isNarrow = storage == Storage.BF16 ? 1 : 0;
    this.queries = storage.floats(room.rowNumbers(room.keyWidth()));
    this.keys = storage.floats(room.columnNumbers(room.keyWidth()));
    this.values = storage.floats(room.columnNumbers(room.valueWidth()));
    this.queryHalves = storage.halves(room.rowNumbers(room.keyWidth()));
    this.keyHalves = storage.halves(room.columnNumbers(room.keyWidth()));
    this.valueHalves = storage.halves(room.columnNumbers(room.valueWidth()));
    this.logSums = new float[room.rowNumbers(1)];
    this.lowest = new int[room.rows()];
    this.ends = new int[room.rows()];
  }

  /** The launch for the rows, columns and heads that are set. */
  abstract LaunchShape launchShape();

  /** Whichever of two arrays is used. */
  final Object kept(float[] numbers, char[] halves) {
    return isNarrow == 1 ? halves : numbers;
  }

  /** The queries as they are kept. */
  final Object queryInputs() {
    return kept(queries, queryHalves);
  }

  /** The keys as they are kept. */
  final Object keyInputs() {
    return kept(keys, keyHalves);
  }

  /** The values as they are kept. */
  final Object valueInputs() {
    return kept(values, valueHalves);
  }

  final float query(int index) {
    float number = 0f;
    if (isNarrow == 1) {
      number = widened(queryHalves[index]);
    } else {
      number = queries[index];
    }
    return number;
  }

  final float key(int index) {
    float number = 0f;
    if (isNarrow == 1) {
      number = widened(keyHalves[index]);
    } else {
      number = keys[index];
    }
    return number;
  }

  final float value(int index) {
    float number = 0f;
    if (isNarrow == 1) {
      number = widened(valueHalves[index]);
    } else {
      number = values[index];
    }
    return number;
  }
}
