package org.longspan.executors.kernel;

import org.longspan.executors.memory.FloatMatrix;

/** {@link LinearTensors} with gates, as what they are. */
record FloatGatedTensors(FloatMatrix q, FloatMatrix k, FloatMatrix v, FloatMatrix gates) {
  static FloatGatedTensors of(LinearTensors tensors) {
    return new FloatGatedTensors(
        (FloatMatrix) tensors.q(),
        (FloatMatrix) tensors.k(),
        (FloatMatrix) tensors.v(),
        (FloatMatrix) tensors.gates());
  }
}
