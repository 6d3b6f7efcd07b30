package org.longspan.parallelism.collective;

/**
 * What a message between two ranks costs: n bytes take {@code α + n/β}.
 *
 * @param latencySeconds α
 * @param bytesPerSecond β
 */
public record LinkQuality(double latencySeconds, double bytesPerSecond) {
  /** A usual network: 60 µs, as Spark's network library has on one host, and 1 GB/s. */
  public static final LinkQuality USUAL = new LinkQuality(60e-6, 1e9);

  public LinkQuality {
    if (!(latencySeconds > 0 && bytesPerSecond > 0)) {
      throw new IllegalArgumentException(
          "A link of " + latencySeconds + " s and " + bytesPerSecond + " bytes/s");
    }
  }

  /**
   * Measures the links between neighbours of the ring by messages that go to and fro, small ones
   * and such of 1 MiB, until they get no faster. Every member calls; all get the same numbers,
   * those of the worst link. One rank alone gets {@link #USUAL}.
   */
  public static LinkQuality measure(Communicator communicator) {
    return communicator.size() == 1 ? USUAL : new LinkProbe(communicator).worst();
  }

  /**
   * The seconds of a {@link ChainScan}, {@code (P−1+K−1)(α + m/(Kβ) + F/K)}: P ranks, K blocks, m
   * bytes, F seconds of folding a whole state.
   */
  public double chainSeconds(int ranks, long stateBytes, double foldSeconds, int blocks) {
    return ranks == 1
        ? 0
        : (ranks + blocks - 2) * (seconds((double) stateBytes / blocks) + foldSeconds / blocks);
  }

  /**
   * The number of blocks for which the chain's time is least: {@code max(1, √((P−2)(m/β + F)/α))}.
   */
  public int chainBlocks(int ranks, long stateBytes, double foldSeconds) {
    double stateSeconds = stateBytes / bytesPerSecond + foldSeconds;
    double best = Math.sqrt(Math.max(0, ranks - 2) * stateSeconds / latencySeconds);
    return (int) Math.max(1, Math.round(best));
  }

  /**
   * The seconds of a {@link LogScan}'s messages, {@code ⌈log₂P⌉(α + m/β)}: m bytes of state and
   * transition.
   */
  public double logSeconds(int ranks, long stretchBytes) {
    return logRounds(ranks) * seconds((double) stretchBytes);
  }

  /** {@code ⌈log₂P⌉}. */
  static int logRounds(int ranks) {
    return Integer.SIZE - Integer.numberOfLeadingZeros(ranks - 1);
  }

  private double seconds(double bytes) {
    return latencySeconds + bytes / bytesPerSecond;
  }
}
