package org.longspan.executors.kernel;

import java.util.List;

/**
 * What every form of the backward of causal softmax attention has beside {@link SoftmaxKernel}'s:
 * with {@code P = exp(S − logSums)} and {@code dS = P ⊙ (dO Vᵀ − means)}, where {@code means =
 * rowsum(dO ⊙ O)}, it is {@code dQ = dS K}, {@code dK = dSᵀ Q}, {@code dV = Pᵀ dO}; no work-item
 * adds to what another one writes.
 *
 * <p>Layouts: {@code means} {@code [rows, heads]}, {@code outputGradients} {@code [rows, heads,
 * valueWidth]}, and each gradient as what it is of. Column c is seen by the rows from {@code
 * firsts[c]} to below {@code highest[c]}, neither of which falls from column to column.
 */
abstract class SoftmaxGradientKernel extends SoftmaxKernel {
  final float[] means;
  final float[] outputGradients;
  final float[] queryGradients;
  final float[] keyGradients;
  final float[] valueGradients;
  final char[] outputGradientHalves;
  final char[] queryGradientHalves;
  final char[] keyGradientHalves;
  final char[] valueGradientHalves;
  final int[] firsts;
  final int[] highest;

  SoftmaxGradientKernel(SoftmaxRoom room) {
    super(room);
    Storage storage = room.storage();
    this.means = new float[room.rowNumbers(1)];
    this.outputGradients = storage.floats(room.rowNumbers(room.valueWidth()));
    this.outputGradientHalves = storage.halves(room.rowNumbers(room.valueWidth()));
    this.queryGradients = storage.floats(room.rowNumbers(room.keyWidth()));
    this.queryGradientHalves = storage.halves(room.rowNumbers(room.keyWidth()));
    this.keyGradients = storage.floats(room.columnNumbers(room.keyWidth()));
    this.keyGradientHalves = storage.halves(room.columnNumbers(room.keyWidth()));
    this.valueGradients = storage.floats(room.columnNumbers(room.valueWidth()));
    this.valueGradientHalves = storage.halves(room.columnNumbers(room.valueWidth()));
    this.firsts = new int[room.columns()];
    this.highest = new int[room.columns()];
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
        logSums,
        means,
        outputGradientInputs(),
        lowest,
        ends,
        firsts,
        highest);
  }

  final List<Object> gradients() {
    return List.of(queryResults(), keyResults(), valueResults());
  }
}
