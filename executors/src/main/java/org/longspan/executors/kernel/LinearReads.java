package org.longspan.executors.kernel;

import org.longspan.executors.memory.Matrix;

/**
 * What a {@link LinearCall} reads, null where it does not.
 *
 * @param tensors of the tokens, each null where it is not read
 * @param outputGradient of the tokens
 * @param before the state before the rows; null for zero
 * @param after the gradient of the state after them; null for zero
 */
record LinearReads(LinearTensors tensors, Matrix outputGradient, Matrix before, Matrix after) {

  /** These of the tokens alone. */
  static LinearReads of(LinearTensors tensors) {
    return new LinearReads(tensors, null, null, null);
  }

  LinearReads withOutputGradient(Matrix gradient) {
    return new LinearReads(tensors, gradient, before, after);
  }

  /** With the state before the rows; null for zero. */
  LinearReads withBefore(Matrix state) {
    return new LinearReads(tensors, outputGradient, state, after);
  }

  /** With the gradient of the state after the rows. */
  LinearReads withAfter(Matrix gradient) {
    return new LinearReads(tensors, outputGradient, before, gradient);
  }
}
