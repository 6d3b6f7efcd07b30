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
   * @param link what {@link ScanChoice#AUTO} and the number of blocks are chosen for
   */
  public static StateScan of(
      ScanChoice choice,
      Communicator communicator,
      StateShape shape,
      TransitionKind kind,
      int blocks,
      LinkQuality link) {
    if (blocks < 0) {
      throw new IllegalArgumentException("A state in " + blocks + " blocks");
    }
    StatePath path = new StatePath(communicator, shape, kind);
    int cut = blocks > 0 ? blocks : link.chainBlocks(path.ranks(), shape.bytes());
    return switch (choice) {
      case AUTO -> faster(path, cut, link);
      case CHAIN -> new ChainScan(path, "chain", ScanLabels.CHAIN, cut);
      case REPLAY -> new ChainScan(path, "replay", ScanLabels.REPLAY, cut);
      case LOG -> new LogScan(path);
      case LASP1 -> new ChainScan(path, "serial chain (LASP-1)", ScanLabels.LASP1, 1);
      case LASP2 -> new GatherScan(path);
    };
  }

  private static StateScan faster(StatePath path, int blocks, LinkQuality link) {
    ChainScan chain = new ChainScan(path, "chain", ScanLabels.CHAIN, blocks);
    if (path.ranks() == 1) {
      return chain;
    }
    int stretchBytes = new StretchFold(path.shape(), path.kind()).stretchBytes();
    double chainSeconds = link.chainSeconds(path.ranks(), path.shape().bytes(), chain.blocks());
    boolean isLogFaster = link.logSeconds(path.ranks(), stretchBytes) < chainSeconds;
    return new ChosenScan(isLogFaster ? new LogScan(path) : chain, link);
  }
}
