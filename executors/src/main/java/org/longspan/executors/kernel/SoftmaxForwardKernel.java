package org.longspan.executors.kernel;

import java.util.List;

/**
 * What every form of the forward of causal softmax attention has beside {@link SoftmaxKernel}'s:
 * {@code outputs} {@code [rows, heads, valueWidth]}, and it writes {@code logSums}.
 */
abstract class SoftmaxForwardKernel extends SoftmaxKernel {
  /** What no score is below. */
  static final float NOTHING = -3.0e38f;

  final float[] outputs;
  final char[] outputHalves;

  SoftmaxForwardKernel(SoftmaxRoom room) {
    super(room);
    this.outputs = room.storage().floats(room.rowNumbers(room.valueWidth()));
    this.outputHalves = room.storage().halves(room.rowNumbers(room.valueWidth()));
  }

  final List<Object> inputs() {
    return List.of(queryInputs(), keyInputs(), valueInputs(), lowest, ends);
  }

  /** The outputs as they are kept. */
  final Object results() {
    return kept(outputs, outputHalves);
  }
}
