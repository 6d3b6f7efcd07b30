package org.longspan.executors.kernel;

import java.util.List;
import org.longspan.executors.opencl.DeviceKernel;
import org.longspan.executors.opencl.LaunchShape;

/**
 * What every form of the backward of causal softmax attention has: with {@code P = exp(S −
 * logSums)} and {@code dS = P ⊙ (dO Vᵀ − rowsum(dO ⊙ O))} it is {@code dQ = dS K}, {@code dK = dSᵀ
 * Q}, {@code dV = Pᵀ dO}; no work-item adds to what another one writes.
 *
 * <p>Layouts as in {@link SoftmaxForwardKernel}; {@code outputGradients} {@code [rows, heads,
 * valueWidth]}, and each gradient as what it is of. Column c is seen by the rows from {@code c −
 * halo}, or 0, to below {@code highest[c]}, which never falls.
 */
abstract class SoftmaxGradientKernel extends DeviceKernel {
  final float[] queries;
  final float[] keys;
  final float[] values;
  final float[] outputs;
  final float[] logSums;
  final float[] outputGradients;
  final float[] queryGradients;
  final float[] keyGradients;
  final float[] valueGradients;
  final int[] lowest;
  final int[] highest;

  /** {@code rowsum(dO ⊙ O)}, {@code [rows, heads]}; lives within a launch. */
  final float[] means;

  int heads;
  int keyWidth;
  int valueWidth;
  int rows;
  int columns;

  /** Columns before the first row's own. */
  int halo;

  SoftmaxGradientKernel(SoftmaxRoom room) {
    this.queries = new float[room.rowNumbers(room.keyWidth())];
    this.keys = new float[room.columnNumbers(room.keyWidth())];
    this.values = new float[room.columnNumbers(room.valueWidth())];
    this.outputs = new float[room.rowNumbers(room.valueWidth())];
    this.logSums = new float[room.rowNumbers(1)];
    this.outputGradients = new float[outputs.length];
    this.queryGradients = new float[queries.length];
    this.keyGradients = new float[keys.length];
    this.valueGradients = new float[values.length];
    this.lowest = new int[room.rows()];
    this.highest = new int[room.columns()];
    this.means = new float[logSums.length];
  }

  /** The launch for the rows, columns and heads that are set. */
  abstract LaunchShape launchShape();

  final List<Object> inputs() {
    return List.of(queries, keys, values, outputs, logSums, outputGradients, lowest, highest);
  }

  final List<Object> gradients() {
    return List.of(queryGradients, keyGradients, valueGradients);
  }
}
