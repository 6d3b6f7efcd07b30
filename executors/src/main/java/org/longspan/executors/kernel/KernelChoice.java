package org.longspan.executors.kernel;

/** What a user asks to compute attention with. */
public enum KernelChoice {
  /** Aparapi where there is an OpenCL GPU, otherwise the CPU; the run says which and why. */
  AUTO,
  /** Aparapi on an OpenCL device, or an error. */
  APARAPI,
  /**
   * The same, where queries, keys, values, outputs and their gradients are kept in 16 bits on the
   * device and on the way there; it computes in float.
   */
  APARAPI_BF16,
  /** Fused loops on the CPU. */
  CPU;

  /** Whether an OpenCL device is asked for, and nothing else will do. */
  public boolean needsDevice() {
    return this == APARAPI || this == APARAPI_BF16;
  }
}
