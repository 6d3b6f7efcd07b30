package org.longspan.executors.bench.kernel;

import java.util.Locale;

/** One direction through a kernel. */
public enum KernelPass {
  /** Outputs. */
  FORWARD,
  /** All gradients, given the outputs'. */
  BACKWARD;

  /** The name in tables. */
  public String label() {
    return name().toLowerCase(Locale.ROOT);
  }
}
