package org.longspan.executors.bench.kernel;

import java.util.Locale;
import org.longspan.executors.kernel.KernelChoice;

/** What computes a kernel that is measured. */
public enum KernelForm {
  /** On an OpenCL device. */
  APARAPI(KernelChoice.APARAPI),
  /** On the processor. */
  CPU(KernelChoice.CPU);

  private final KernelChoice choice;

  KernelForm(KernelChoice choice) {
    this.choice = choice;
  }

  KernelChoice choice() {
    return choice;
  }

  /** The name in tables and options. */
  public String label() {
    return name().toLowerCase(Locale.ROOT);
  }
}
