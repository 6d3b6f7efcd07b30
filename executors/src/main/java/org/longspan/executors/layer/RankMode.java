package org.longspan.executors.layer;

import org.longspan.executors.kernel.KernelChoice;
import org.longspan.parallelism.collective.LinkQuality;
import org.longspan.parallelism.collective.ScanChoice;

/**
 * How a rank computes what it computes.
 *
 * @param reproducibility whether results may depend on the number of ranks by rounding
 * @param memory what layers keep for the backward
 * @param scan how states travel; a reproducible run replays them, whatever this says
 * @param scanBlocks into how many blocks a chain cuts a state; 0 for what the link asks for
 * @param link latency and bandwidth between ranks, the same numbers on every rank
 */
public record RankMode(
    KernelChoice kernel,
    Reproducibility reproducibility,
    LayerMemory memory,
    ScanChoice scan,
    int scanBlocks,
    LinkQuality link) {

  /** Whether results may depend on the number of ranks. */
  public enum Reproducibility {
    /** By rounding only. */
    FAST,
    /**
     * Not in a single bit: what is summed over tokens is summed over the blocks of the grid, in one
     * order, whichever rank holds them.
     */
    BITWISE
  }

  /** What layers keep between forward and backward. */
  public enum LayerMemory {
    /** What the backward needs. */
    KEEP,
    /** Their inputs, and what came from other ranks; the rest is computed again. */
    RECOMPUTE
  }
}
