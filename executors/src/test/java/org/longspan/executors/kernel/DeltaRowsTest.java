package org.longspan.executors.kernel;

import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.aparapi.device.Device;
import org.junit.jupiter.api.BeforeAll;
import org.longspan.executors.opencl.OpenClDevices;

/** The gated delta rule by rows, which is for processors. */
class DeltaRowsTest extends DeltaAttentionContract {
  DeltaRowsTest() {
    super(LinearForm.ROWS);
  }

  @BeforeAll
  static void shouldHaveAProcessor() {
    assumeTrue(
        OpenClDevices.best().map(device -> device.getType() == Device.TYPE.CPU).orElse(false),
        "no processor under OpenCL on this machine: rows are not tested");
  }
}
