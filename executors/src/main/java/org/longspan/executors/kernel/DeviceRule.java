package org.longspan.executors.kernel;

/** Which recurrence a kernel computes. */
enum DeviceRule {
  /** A constant decay for each head. */
  CONSTANT("lightning", false) {
    @Override
    int gateWidth(int keyWidth) {
      return 0;
    }
  },

  /** A gate for each head and token. */
  HEAD_GATES("simple-gla", false) {
    @Override
    int gateWidth(int keyWidth) {
      return 1;
    }
  },

  /** A gate for each key column and token. */
  KEY_GATES("gla", false) {
    @Override
    int gateWidth(int keyWidth) {
      return keyWidth;
    }
  },

  /** A gate for each head and token, and a key's old value is replaced. */
  DELTA("gated-delta", true) {
    @Override
    int gateWidth(int keyWidth) {
      return 1;
    }
  };

  private final String label;
  private final boolean replaces;

  DeviceRule(String label, boolean replaces) {
    this.label = label;
    this.replaces = replaces;
  }

  /** That of gates that come with the tokens. */
  static DeviceRule of(GateWidth gateWidth) {
    return switch (gateWidth) {
      case SCALAR -> HEAD_GATES;
      case VECTOR -> KEY_GATES;
    };
  }

  /** The kernel's name. */
  String label() {
    return label;
  }

  /** Whether old values are replaced: there are betas, and a transition is a matrix. */
  boolean replaces() {
    return replaces;
  }

  /** Gates of a token and head, given the padded width of a key. */
  abstract int gateWidth(int keyWidth);

  /** How it is computed in a form. */
  LinearPlan plan(LinearForm form) {
    return switch (form) {
      case TILES -> replaces ? new DeltaTilePlan() : new TilePlan(this);
      case ROWS -> replaces ? new DeltaRowPlan() : new RowPlan(this);
    };
  }
}
