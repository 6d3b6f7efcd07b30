package org.longspan.parallelism.collective;

/** Makes the scans of a state. */
public final class Scans {
  private Scans() {}

  /**
   * A scan for the ranks of {@code communicator}, which all make it with the same arguments.
   *
   * @param kind of the transitions of all pieces, which ranks without pieces know from here
   * @param blocks into how many blocks a chain cuts the state, or fewer where there are not so
   *     many; 0 for the number that suits the link
   * @param costs what {@link ScanChoice#AUTO} and the number of blocks are chosen for
   */
  public static StateScan of(
      ScanChoice choice,
      Communicator communicator,
      StateShape shape,
      TransitionKind kind,
      int blocks,
      ScanCosts costs) {
    if (blocks < 0) {
      throw new IllegalArgumentException("A state in " + blocks + " blocks");
    }
    StatePath path = new StatePath(communicator, shape, kind);
    int cut = blocks > 0 ? blocks : costs.chainBlocks(path.ranks(), shape, kind);
    return switch (choice) {
      case AUTO -> faster(path, cut, costs);
      case CHAIN -> new ChainScan(path, "chain", ScanLabels.CHAIN, cut);
      case REPLAY -> new ChainScan(path, "replay", ScanLabels.REPLAY, cut);
      case LOG -> new LogScan(path);
      case LASP1 -> new ChainScan(path, "serial chain (LASP-1)", ScanLabels.LASP1, 1);
      case LASP2 -> new GatherScan(path);
    };
  }

  private static StateScan faster(StatePath path, int blocks, ScanCosts costs) {
    ChainScan chain = new ChainScan(path, "chain", ScanLabels.CHAIN, blocks);
    if (path.ranks() == 1) {
      return chain;
    }
    double chainSeconds =
        costs.chainSeconds(path.ranks(), path.shape(), path.kind(), chain.blocks());
    double logSeconds = costs.logSeconds(path.ranks(), path.shape(), path.kind());
    return new ChosenScan(
        logSeconds < chainSeconds ? new LogScan(path) : chain,
        costs.link(),
        costs.fold().stateSeconds(path.shape(), path.kind()));
  }
}
