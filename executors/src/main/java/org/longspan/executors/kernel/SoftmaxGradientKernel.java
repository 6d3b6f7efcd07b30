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
  final char[] queryHalves;
  final char[] keyHalves;
  final char[] valueHalves;
  final char[] outputHalves;
  final char[] outputGradientHalves;
  final char[] queryGradientHalves;
  final char[] keyGradientHalves;
  final char[] valueGradientHalves;
  final int[] lowest;
  final int[] highest;

  /** {@code rowsum(dO ⊙ O)}, {@code [rows, heads]}; lives within a launch. */
  final float[] means;

  int heads;
  int keyWidth;
  int valueWidth;
  int rows;
  int columns;

  /** 1 where all but the sums are kept in halves, in arrays of their own. */
  int isNarrow;

  /** Columns before the first row's own. */
  int halo;

  SoftmaxGradientKernel(SoftmaxRoom room) {
    Storage storage = room.storage();
    this.isNarrow = storage == Storage.BF16 ? 1 : 0;
    this.logSums = new float[room.rowNumbers(1)];
    this.queries = storage.floats(room.rowNumbers(room.keyWidth()));
    this.queryHalves = storage.halves(room.rowNumbers(room.keyWidth()));
    this.keys = storage.floats(room.columnNumbers(room.keyWidth()));
    this.keyHalves = storage.halves(room.columnNumbers(room.keyWidth()));
    this.values = storage.floats(room.columnNumbers(room.valueWidth()));
    this.valueHalves = storage.halves(room.columnNumbers(room.valueWidth()));
    this.outputs = storage.floats(room.rowNumbers(room.valueWidth()));
    this.outputHalves = storage.halves(room.rowNumbers(room.valueWidth()));
    this.outputGradients = storage.floats(room.rowNumbers(room.valueWidth()));
    this.outputGradientHalves = storage.halves(room.rowNumbers(room.valueWidth()));
    this.queryGradients = storage.floats(room.rowNumbers(room.keyWidth()));
    this.queryGradientHalves = storage.halves(room.rowNumbers(room.keyWidth()));
    this.keyGradients = storage.floats(room.columnNumbers(room.keyWidth()));
    this.keyGradientHalves = storage.halves(room.columnNumbers(room.keyWidth()));
    this.valueGradients = storage.floats(room.columnNumbers(room.valueWidth()));
    this.valueGradientHalves = storage.halves(room.columnNumbers(room.valueWidth()));
    this.lowest = new int[room.rows()];
    this.highest = new int[room.columns()];
    this.means = new float[logSums.length];
  }

  /** The launch for the rows, columns and heads that are set. */
  abstract LaunchShape launchShape();

  private Object kept(float[] numbers, char[] halves) {
    return isNarrow == 1 ? halves : numbers;
  }

  final Object queryInputs() {
    return kept(queries, queryHalves);
  }

  final Object keyInputs() {
    return kept(keys, keyHalves);
  }

  final Object valueInputs() {
    return kept(values, valueHalves);
  }

  final Object outputInputs() {
    return kept(outputs, outputHalves);
  }

  final Object outputGradientInputs() {
    return kept(outputGradients, outputGradientHalves);
  }

  final Object queryResults() {
    return kept(queryGradients, queryGradientHalves);
  }

  final Object keyResults() {
    return kept(keyGradients, keyGradientHalves);
  }

  final Object valueResults() {
    return kept(valueGradients, valueGradientHalves);
  }

  final List<Object> inputs() {
    return List.of(
        queryInputs(),
        keyInputs(),
        valueInputs(),
        outputInputs(),
        logSums,
        outputGradientInputs(),
        lowest,
        highest);
  }

  final List<Object> gradients() {
    return List.of(queryResults(), keyResults(), valueResults());
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

  final float output(int index) {
    float number = 0f;
    if (isNarrow == 1) {
      number = widened(outputHalves[index]);
    } else {
      number = outputs[index];
    }
    return number;
  }

  final float outputGradient(int index) {
    float number = 0f;
    if (isNarrow == 1) {
      number = widened(outputGradientHalves[index]);
    } else {
      number = outputGradients[index];
    }
    return number;
  }

  final void writeQueryGradient(int index, float number) {
    if (isNarrow == 1) {
      queryGradientHalves[index] = (char) narrowed(number);
    } else {
      queryGradients[index] = number;
    }
  }

  final void writeKeyGradient(int index, float number) {
    if (isNarrow == 1) {
      keyGradientHalves[index] = (char) narrowed(number);
    } else {
      keyGradients[index] = number;
    }
  }

  final void writeValueGradient(int index, float number) {
    if (isNarrow == 1) {
      valueGradientHalves[index] = (char) narrowed(number);
    } else {
      valueGradients[index] = number;
    }
  }
}
