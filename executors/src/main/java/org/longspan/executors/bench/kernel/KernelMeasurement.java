package org.longspan.executors.bench.kernel;

import java.util.OptionalDouble;
import org.longspan.executors.kernel.AttentionShape;

/** What came of measuring one kernel in one form. */
public sealed interface KernelMeasurement {
  /** Which kernel. */
  BenchedKernel kernel();

  /** In which form. */
  KernelForm form();

  /**
   * A pass that was measured.
   *
   * @param device what computed it
   * @param seconds without transfers; nothing where the form cannot tell them apart
   * @param secondsWithTransfers of the whole call, from matrices to matrices
   * @param operations that it comes to
   * @param bytes that it reads and writes, each number once
   * @param rates that the device reaches
   */
  record Measured(
      BenchedKernel kernel,
      KernelPass pass,
      KernelForm form,
      String device,
      AttentionShape shape,
      int tokens,
      OptionalDouble seconds,
      double secondsWithTransfers,
      double operations,
      double bytes,
      ComputeRates rates)
      implements KernelMeasurement {

    /** Seconds without transfers, or else with them. */
    public double computing() {
      return seconds.orElse(secondsWithTransfers);
    }

    /** Seconds that the device cannot stay under. */
    public double floorSeconds() {
      return rates.floorSeconds(operations, bytes);
    }
  }

  /** A form that there is not, or not here. */
  record Missing(BenchedKernel kernel, KernelForm form, String reason)
      implements KernelMeasurement {}
}
