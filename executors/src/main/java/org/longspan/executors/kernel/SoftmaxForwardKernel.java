package org.longspan.executors.kernel;

import org.longspan.executors.opencl.DeviceKernel;
import org.longspan.executors.opencl.LaunchShape;

/**
 * What every form of the forward of causal softmax attention has: staging arrays for some heads,
 * some rows of queries, and the keys and values that they see.
 *
 * <p>Layouts: {@code queries} {@code [rows, heads, keyWidth]}, {@code keys} {@code [columns, heads,
 * keyWidth]}, {@code values} {@code [columns, heads, valueWidth]}, {@code outputs} {@code [rows,
 * heads, valueWidth]}, {@code logSums} {@code [rows, heads]}. Row r sees the columns from {@code
 * lowest[r]}, which never falls, to {@code r + halo}.
 */
abstract class SoftmaxForwardKernel extends DeviceKernel {
  /** What no score is below. */
  static final float NOTHING = -3.0e38f;

  final float[] queries;
  final float[] keys;
  final float[] values;
  final float[] outputs;
  final char[] queryHalves;
  final char[] keyHalves;
  final char[] valueHalves;
  final char[] outputHalves;
  final float[] logSums;
  final int[] lowest;
  int heads;
  int keyWidth;
  int valueWidth;
  int rows;
  int columns;

  /** 1 where all but the sums are kept in halves, in arrays of their own. */
  int isNarrow;

  /** Columns before the first row's own. */
  int halo;

  SoftmaxForwardKernel(SoftmaxRoom room) {
    Storage storage = room.storage();
    this.isNarrow = storage == Storage.BF16 ? 1 : 0;
    this.queries = storage.floats(room.rowNumbers(room.keyWidth()));
    this.keys = storage.floats(room.columnNumbers(room.keyWidth()));
    this.values = storage.floats(room.columnNumbers(room.valueWidth()));
    this.outputs = storage.floats(room.rowNumbers(room.valueWidth()));
    this.queryHalves = storage.halves(room.rowNumbers(room.keyWidth()));
    this.keyHalves = storage.halves(room.columnNumbers(room.keyWidth()));
    this.valueHalves = storage.halves(room.columnNumbers(room.valueWidth()));
    this.outputHalves = storage.halves(room.rowNumbers(room.valueWidth()));
    this.logSums = new float[room.rowNumbers(1)];
    this.lowest = new int[room.rows()];
  }

  /** The launch for the rows, columns and heads that are set. */
  abstract LaunchShape launchShape();

  /** The queries as they are kept. */
  final Object queryInputs() {
    return isNarrow == 1 ? queryHalves : queries;
  }

  /** The keys as they are kept. */
  final Object keyInputs() {
    return isNarrow == 1 ? keyHalves : keys;
  }

  /** The values as they are kept. */
  final Object valueInputs() {
    return isNarrow == 1 ? valueHalves : values;
  }

  /** The outputs as they are kept. */
  final Object results() {
    return isNarrow == 1 ? outputHalves : outputs;
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

  final void writeOutput(int index, float number) {
    if (isNarrow == 1) {
      outputHalves[index] = (char) narrowed(number);
    } else {
      outputs[index] = number;
    }
  }
}
