package org.longspan.parallelism.collective;

/**
 * What a scan's time follows from. P ranks; a state of m bytes, a transition of g; F seconds of
 * taking a state through a transition, G of making one transition of two.
 */
public record ScanCosts(LinkQuality link, FoldCost fold) {
  /** A usual network and a usual processor. */
  public static final ScanCosts USUAL = new ScanCosts(LinkQuality.USUAL, FoldCost.USUAL);

  /**
   * Measures the links and the members. Every member calls; all get the same numbers, so that all
   * choose alike. One rank alone gets {@link #USUAL}.
   */
  public static ScanCosts measure(Communicator communicator) {
    return new ScanCosts(LinkQuality.measure(communicator), FoldCost.measure(communicator));
  }

  /** The seconds of a {@link ChainScan} in K blocks: {@code (P−1+K−1)(α + m/(Kβ) + F/K)}. */
  double chainSeconds(int ranks, StateShape shape, TransitionKind kind, int blocks) {
    return link.chainSeconds(ranks, shape.bytes(), fold.stateSeconds(shape, kind), blocks);
  }

  /** The number of blocks for which the chain's time is least. */
  public int chainBlocks(int ranks, StateShape shape, TransitionKind kind) {
    return link.chainBlocks(ranks, shape.bytes(), fold.stateSeconds(shape, kind));
  }

  /**
   * The seconds of a {@link LogScan} in {@code R = ⌈log₂P⌉} rounds, at most {@code R(α + (m+g)/β) +
   * (2R−1)F + 2(R−2)G}: the first sender folds one state, each rank joins two in a round but for
   * the last, and no transitions in the two last ones, where all counts from the beginning or goes
   * no further.
   */
  double logSeconds(int ranks, StateShape shape, TransitionKind kind) {
    int rounds = LinkQuality.logRounds(ranks);
    return link.logSeconds(ranks, new StretchFold(shape, kind).stretchBytes())
        + Math.max(0, 2 * rounds - 1) * fold.stateSeconds(shape, kind)
        + Math.max(0, 2 * rounds - 4) * fold.transitionSeconds(shape, kind);
  }
}
