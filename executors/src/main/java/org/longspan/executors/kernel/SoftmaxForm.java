package org.longspan.executors.kernel;

import com.aparapi.device.Device;
import com.aparapi.device.OpenCLDevice;

/** In which form softmax attention runs on an OpenCL device; results differ by rounding only. */
enum SoftmaxForm {
  /** Work-groups share tiles in local memory, work-items hold parts of them in registers. */
  TILES(4e12) {
    @Override
    SoftmaxForwardKernel forward(SoftmaxRoom room) {
      return new SoftmaxForwardTiles(room);
    }

    @Override
    SoftmaxGradientKernel gradient(SoftmaxRoom room) {
      return new SoftmaxGradientTiles(room);
    }
  },

  /** A row a work-item. */
  ROWS(4e10) {
    @Override
    SoftmaxForwardKernel forward(SoftmaxRoom room) {
      return new SoftmaxForwardRows(room);
    }

    @Override
    SoftmaxGradientKernel gradient(SoftmaxRoom room) {
      return new SoftmaxGradientRows(room);
    }
  };

  private final double mostOperations;

  SoftmaxForm(double mostOperations) {
    this.mostOperations = mostOperations;
  }

  /** The one for a device: tiles on a GPU, rows on a processor. */
  static SoftmaxForm of(OpenCLDevice device) {
    return device.getType() == Device.TYPE.CPU ? ROWS : TILES;
  }

  abstract SoftmaxForwardKernel forward(SoftmaxRoom room);

  abstract SoftmaxGradientKernel gradient(SoftmaxRoom room);

  /**
   * Floating-point operations that a launch may have: about a second's on a fast device of the
   * kind, since arrays stay pinned for as long.
   */
  double mostOperations() {
    return mostOperations;
  }
}
