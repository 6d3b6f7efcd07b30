package org.longspan.executors.kernel;

/** How many gates a token has. */
public enum GateWidth {
  /** One for each head: every key column decays alike (simple GLA). */
  SCALAR {
    @Override
    int columns(AttentionShape shape) {
      return shape.heads();
    }
  },

  /** One for each key column of each head (GLA). */
  VECTOR {
    @Override
    int columns(AttentionShape shape) {
      return shape.keyColumns();
    }
  };

  /** Columns of the gates, all heads side by side. */
  abstract int columns(AttentionShape shape);
}
