package org.longspan.executors.kernel;

import static org.junit.jupiter.api.Assumptions.assumeFalse;

import org.junit.jupiter.api.BeforeAll;
import org.longspan.executors.kernel.AttentionResult.Tolerance;
import org.longspan.executors.opencl.OpenClDevices;

/** The work-group form of each recurrence, on whatever OpenCL device there is. */
class DeviceLinearAttentionTest extends DecayedAttentionContract {
  /**
   * A gate's gradient is the sum of {@code q·dq − k·dk}, whose terms cancel where gates are so
   * strong that hardly a token sees another.
   */
  DeviceLinearAttentionTest() {
    super(LinearForm.TILES, new Tolerance(1e-5, 1e-4));
  }

  @BeforeAll
  static void shouldHaveADevice() {
    assumeFalse(
        OpenClDevices.all().isEmpty(), "no OpenCL device on this machine: Aparapi is not tested");
  }
}
