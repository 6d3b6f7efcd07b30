package org.longspan.executors.kernel;

import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.aparapi.device.Device;
import org.junit.jupiter.api.BeforeAll;
import org.longspan.executors.kernel.AttentionResult.Tolerance;
import org.longspan.executors.opencl.OpenClDevices;

/** Each recurrence by rows, which is for processors. */
class LinearRowsTest extends DecayedAttentionContract {
  LinearRowsTest() {
    super(LinearForm.ROWS, new Tolerance(1e-5, 1e-5));
  }

  @BeforeAll
  static void shouldHaveAProcessor() {
    assumeTrue(
        OpenClDevices.best().map(device -> device.getType() == Device.TYPE.CPU).orElse(false),
        "no processor under OpenCL on this machine: rows are not tested");
  }
}
