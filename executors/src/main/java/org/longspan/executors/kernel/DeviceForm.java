package org.longspan.executors.kernel;

/** Which recurrence a kernel computes. */
enum DeviceForm {
  /** A constant decay for each head. */
  CONSTANT {
    @Override
    int gateWidth(int keyWidth) {
      return 0;
    }

    @Override
    LinearKernel kernel(LinearRoom room) {
      return new HeadDecayKernel(room);
    }
  },

  /** A gate for each head and token. */
  HEAD_GATES {
    @Override
    int gateWidth(int keyWidth) {
      return 1;
    }

    @Override
    LinearKernel kernel(LinearRoom room) {
      return new HeadDecayKernel(room);
    }
  },

  /** A gate for each key column and token. */
  KEY_GATES {
    @Override
    int gateWidth(int keyWidth) {
      return keyWidth;
    }

    @Override
    LinearKernel kernel(LinearRoom room) {
      return new KeyGateKernel(room);
    }
  };

  /** That of gates that come with the tokens. */
  static DeviceForm of(GateWidth gateWidth) {
    return switch (gateWidth) {
      case SCALAR -> HEAD_GATES;
      case VECTOR -> KEY_GATES;
    };
  }

  /** Gates of a token and head, given the padded width of a key. */
  abstract int gateWidth(int keyWidth);

  abstract LinearKernel kernel(LinearRoom room);
}
