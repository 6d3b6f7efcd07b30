package org.longspan.parallelism.collective;

/** What a piece of a sequence multiplies the state with that comes to it. */
public enum TransitionKind {
  /** One factor for each row of the state: constant, scalar and vector decays. */
  DIAGONAL {
    @Override
    Recurrence recurrence(StateShape shape) {
      return new DiagonalRecurrence(shape);
    }
  },
  /** One square matrix for each head: the delta rule. */
  MATRIX {
    @Override
    Recurrence recurrence(StateShape shape) {
      return new MatrixRecurrence(shape);
    }
  };

  /** The arithmetic of this kind, with scratch of its own. */
  abstract Recurrence recurrence(StateShape shape);
}
