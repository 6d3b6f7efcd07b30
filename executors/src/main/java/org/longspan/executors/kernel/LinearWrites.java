package org.longspan.executors.kernel;

import org.longspan.executors.memory.Matrix;

/**
 * What a {@link LinearCall} writes, null where it does not.
 *
 * @param outputs those of the rows
 * @param gradients of the rows' inputs, each null where it is not written
 * @param passed the state after the rows or the gradient of the one before, whichever stage gives
 *     it
 * @param transition what becomes of a state over the rows
 * @param adds whether outputs and gradients are added to
 */
record LinearWrites(
    Matrix outputs, LinearTensors gradients, Matrix passed, Matrix transition, boolean adds) {
  private static final LinearTensors NONE = new LinearTensors(null, null, null, null, null);

  static LinearWrites toOutputs(Matrix outputs) {
    return new LinearWrites(outputs, NONE, null, null, false);
  }

  static LinearWrites addedToOutputs(Matrix outputs) {
    return new LinearWrites(outputs, NONE, null, null, true);
  }

  static LinearWrites toGradients(LinearTensors gradients) {
    return new LinearWrites(null, gradients, null, null, false);
  }

  static LinearWrites addedToGradients(LinearTensors gradients) {
    return new LinearWrites(null, gradients, null, null, true);
  }

  static LinearWrites toState(Matrix passed) {
    return new LinearWrites(null, NONE, passed, null, false);
  }

  /** With what becomes of a state over the rows. */
  LinearWrites withTransition(Matrix matrix) {
    return new LinearWrites(outputs, gradients, passed, matrix, adds);
  }
}
