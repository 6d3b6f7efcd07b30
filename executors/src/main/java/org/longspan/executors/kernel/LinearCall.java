package org.longspan.executors.kernel;

import java.util.List;
import org.longspan.executors.memory.Matrix;

/**
 * One computation of a {@link LinearKernel} over some rows of a slice: what it reads and writes,
 * null where it does not.
 *
 * @param firstRow the first row, counted in the matrices
 * @param documents those of the rows
 * @param stages of {@link LinearKernel}, in order
 * @param before the state before the rows; null for zero
 * @param after the gradient of the state after them; null for zero
 * @param outputs those of the rows
 * @param passed the state after the rows or the gradient of the one before, whichever stage gives
 *     it
 * @param adds whether outputs and gradients are added to
 */
record LinearCall(
    int firstRow,
    Documents documents,
    List<Integer> stages,
    LinearTensors inputs,
    Matrix outputGradient,
    Matrix before,
    Matrix after,
    Matrix outputs,
    LinearTensors gradients,
    Matrix passed,
    boolean adds) {

  /** Inputs or gradients of nothing. */
  static final LinearTensors NONE = new LinearTensors(null, null, null, null, null);

  /** Whether it needs room for gradients. */
  boolean isBackward() {
    return outputGradient != null || after != null;
  }
}
