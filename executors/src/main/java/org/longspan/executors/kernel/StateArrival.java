package org.longspan.executors.kernel;

import org.longspan.executors.memory.Matrix;

/** A state, or the gradient of one, that may still be on its way from other ranks. */
@FunctionalInterface
public interface StateArrival {
  /** Waits until it is there; called once. */
  Matrix await();
}
