package org.longspan.executors.kernel;

import java.util.List;

/**
 * One computation of linear attention on a device over some rows of a slice.
 *
 * @param firstRow the first row, counted in the matrices
 * @param documents those of the rows
 * @param stages of the kernel, in order
 */
record LinearCall(
    int firstRow,
    Documents documents,
    List<Integer> stages,
    LinearReads reads,
    LinearWrites writes) {

  /** Whether it needs room for gradients. */
  boolean isBackward() {
    return reads.outputGradient() != null || reads.after() != null;
  }
}
