package org.longspan.executors.bench.kernel;

import java.util.Locale;
import org.longspan.executors.kernel.KernelChoice;

/** What computes a kernel that is measured. */
public enum KernelForm {
  /** On an OpenCL device. */
  APARAPI(KernelChoice.APARAPI),
  /** There, with queries, keys, values, outputs and their gradients kept in 16 bits. */
  APARAPI_BF16(KernelChoice.APARAPI_BF16),
  /** On the processor. */
  CPU(KernelChoice.CPU);

  private final KernelChoice choice;

  KernelForm(KernelChoice choice) {
    this.choice = choice;
  }

  KernelChoice choice() {
    return choice;
  }

  /** What computes, whatever the precision. */
  public String computer() {
    return this == CPU ? "cpu" : "aparapi";
  }

  /** How what comes with the tokens is kept. */
  public String precision() {
    return this == APARAPI_BF16 ? "bf16" : "float";
  }

  /** Bytes of a number that comes with the tokens. */
  int numberBytes() {
    return this == APARAPI_BF16 ? Character.BYTES : Float.BYTES;
  }

  /** The name in tables and options. */
  public String label() {
    return name().toLowerCase(Locale.ROOT).replace('_', '-');
  }
}
