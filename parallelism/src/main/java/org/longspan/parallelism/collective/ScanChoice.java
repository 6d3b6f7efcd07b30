package org.longspan.parallelism.collective;

/** How a state travels through the ranks. All give the same results, to within rounding. */
public enum ScanChoice {
  /**
   * The chain or the log-scan, whichever the link's latency and bandwidth and the time of folding a
   * state make the faster.
   */
  AUTO,
  /** {@link ChainScan}: from rank to rank, block after block. */
  CHAIN,
  /** {@link LogScan}: in {@code ⌈log₂P⌉} rounds. */
  LOG,
  /**
   * The chain, for ranks that give the pieces of a fixed grid: the results are the same to the last
   * bit for any number of ranks.
   */
  REPLAY,
  /** A serial chain of whole states, for comparison: LASP-1 (arXiv 2404.02882). */
  LASP1,
  /** {@link GatherScan}: every rank receives every rank's state, for comparison: LASP-2. */
  LASP2
}
