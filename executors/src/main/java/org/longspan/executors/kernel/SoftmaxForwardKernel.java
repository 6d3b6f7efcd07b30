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
  final float[] logSums;
  final int[] lowest;
  int heads;
  int keyWidth;
  int valueWidth;
  int rows;
  int columns;

  /** Columns before the first row's own. */
  int halo;

  SoftmaxForwardKernel(SoftmaxRoom room) {
    this.queries = new float[room.rowNumbers(room.keyWidth())];
    this.keys = new float[room.columnNumbers(room.keyWidth())];
    this.values = new float[room.columnNumbers(room.valueWidth())];
    this.outputs = new float[room.rowNumbers(room.valueWidth())];
    this.logSums = new float[room.rowNumbers(1)];
    this.lowest = new int[room.rows()];
  }

  /** The launch for the rows, columns and heads that are set. */
  abstract LaunchShape launchShape();
}
