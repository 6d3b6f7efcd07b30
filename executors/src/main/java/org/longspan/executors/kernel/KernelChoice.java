package org.longspan.executors.kernel;

/** What a user asks to compute attention with. */
public enum KernelChoice {
  /** Aparapi where there is an OpenCL GPU, otherwise the CPU; the run says which and why. */
  AUTO,
  /** Aparapi on an OpenCL device, or an error. */
  APARAPI,
  /** Fused loops on the CPU. */
  CPU
}
