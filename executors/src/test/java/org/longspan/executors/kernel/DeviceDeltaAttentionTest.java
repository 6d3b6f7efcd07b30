package org.longspan.executors.kernel;

import static org.junit.jupiter.api.Assumptions.assumeFalse;

import org.junit.jupiter.api.BeforeAll;
import org.longspan.executors.opencl.OpenClDevices;

/** The gated delta rule in tiles, on whatever OpenCL device there is. */
class DeviceDeltaAttentionTest extends DeltaAttentionContract {
  DeviceDeltaAttentionTest() {
    super(LinearForm.TILES);
  }

  @BeforeAll
  static void shouldHaveADevice() {
    assumeFalse(
        OpenClDevices.all().isEmpty(), "no OpenCL device on this machine: Aparapi is not tested");
  }
}
