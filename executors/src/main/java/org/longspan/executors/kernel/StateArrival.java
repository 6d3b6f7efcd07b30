package org.longspan.executors.kernel;

import org.longspan.executors.memory.Matrix;
import org.longspan.parallelism.collective.Pending;

/** A state, or the gradient of one, that may still be on its way from other ranks. */
@FunctionalInterface
public interface StateArrival {
  /** Waits until it is there; called once. */
  Matrix await();

  /** Of what {@code travelling} writes to {@code state}. */
  static StateArrival of(Pending travelling, Matrix state) {
    return () -> {
      travelling.await();
      return state;
    };
  }
}
