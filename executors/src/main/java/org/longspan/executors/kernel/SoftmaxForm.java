package org.longspan.executors.kernel;

/** In which form softmax attention runs on an OpenCL device; results differ by rounding only. */
enum SoftmaxForm {
  /** Work-groups share tiles in local memory, work-items hold parts of them in registers. */
  TILES {
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
  ROWS {
    @Override
    SoftmaxForwardKernel forward(SoftmaxRoom room) {
      return new SoftmaxForwardRows(room);
    }

    @Override
    SoftmaxGradientKernel gradient(SoftmaxRoom room) {
      return new SoftmaxGradientRows(room);
    }
  };

  abstract SoftmaxForwardKernel forward(SoftmaxRoom room);

  abstract SoftmaxGradientKernel gradient(SoftmaxRoom room);
}
