package org.longspan.executors.kernel;

import org.longspan.executors.memory.Matrix;
import org.longspan.executors.memory.Precision;

/** Checks the matrices that come into an attention against what it was made for. */
record AttentionMatrices(AttentionShape shape, Precision precision) {

  void checkInputs(LinearTensors inputs, long tokens) {
    checkKeys("q", inputs.q(), tokens);
    checkKeys("k", inputs.k(), tokens);
    checkValues("v", inputs.v(), tokens);
  }

  void checkGradients(LinearTensors gradients, long tokens) {
    checkKeys("dq", gradients.q(), tokens);
    checkKeys("dk", gradients.k(), tokens);
    checkValues("dv", gradients.v(), tokens);
  }

  /** Of the delta rule. */
  void checkDelta(LinearTensors inputs, long tokens) {
    checkInputs(inputs, tokens);
    checkHeads("gates", inputs.gates(), tokens);
    checkHeads("beta", inputs.beta(), tokens);
  }

  /** Of the delta rule. */
  void checkDeltaGradients(LinearTensors gradients, long tokens) {
    checkGradients(gradients, tokens);
    checkHeads("dgates", gradients.gates(), tokens);
    checkHeads("dbeta", gradients.beta(), tokens);
  }

  private void checkHeads(String name, Matrix matrix, long tokens) {
    if (matrix == null) {
      throw new IllegalArgumentException("The delta rule needs " + name);
    }
    check(name, matrix, tokens, shape.heads());
  }

  void checkTransition(Matrix transition, int columns) {
    check("transition", transition, shape.keyColumns(), columns);
  }

  void checkKeys(String name, Matrix matrix, long tokens) {
    check(name, matrix, tokens, shape.keyColumns());
  }

  void checkValues(String name, Matrix matrix, long tokens) {
    check(name, matrix, tokens, shape.valueColumns());
  }

  void checkState(String name, Matrix matrix) {
    check(name, matrix, shape.keyColumns(), shape.valueWidth());
  }

  void check(String name, Matrix matrix, long rows, int columns) {
    if (matrix.precision() != precision || matrix.rows() != rows || matrix.columns() != columns) {
      throw new IllegalArgumentException(
          name + " is " + matrix + ", not " + precision + "[" + rows + ", " + columns + "]");
    }
  }
}
