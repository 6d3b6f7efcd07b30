package org.longspan.parallelism.collective;

/**
 * What {@code Γ·S + Ŝ} costs a rank, by kind of transition.
 *
 * @param scaleSecondsPerByte of a state whose rows are multiplied with a factor each
 * @param multiplySecondsPerByte of a state that is multiplied with matrices, and for each row of
 *     these: a head's n bytes take {@code n · keyWidth} times as long
 */
public record FoldCost(double scaleSecondsPerByte, double multiplySecondsPerByte) {
  /** A usual processor core: 5 GB/s, and 4·10⁹ multiplications and additions of floats a second. */
  public static final FoldCost USUAL = new FoldCost(0.2e-9, 0.0625e-9);

  public FoldCost {
    if (!(scaleSecondsPerByte > 0 && multiplySecondsPerByte > 0)) {
      throw new IllegalArgumentException(
          "Folds of "
              + scaleSecondsPerByte
              + " s a byte by factors and "
              + multiplySecondsPerByte
              + " by matrices");
    }
  }

  /**
   * Measures what small states take on every member. Every member calls; all get the same numbers,
   * those of the slowest. One rank alone gets {@link #USUAL}.
   */
  public static FoldCost measure(Communicator communicator) {
    return communicator.size() == 1 ? USUAL : new FoldProbe(communicator).slowest();
  }

  /** The seconds of taking a whole state through one transition. */
  double stateSeconds(StateShape shape, TransitionKind kind) {
    return shape.bytes() * secondsPerByte(shape, kind);
  }

  /** The seconds of making one transition of two. */
  double transitionSeconds(StateShape shape, TransitionKind kind) {
    double elements = kind.recurrence(shape).transitionElements();
    return elements * shape.type().bytes() * secondsPerByte(shape, kind);
  }

  private double secondsPerByte(StateShape shape, TransitionKind kind) {
    return switch (kind) {
      case DIAGONAL -> scaleSecondsPerByte;
      case MATRIX -> multiplySecondsPerByte * shape.keyWidth();
    };
  }
}
