package org.longspan.executors.layer;

import org.longspan.executors.kernel.KernelChoice;
import org.longspan.parallelism.collective.ScanChoice;
import org.longspan.parallelism.collective.ScanCosts;

/**
 * How a rank computes what it computes.
 *
 * @param reproducibility whether results may depend on the number of ranks by rounding
 * @param memory what layers keep for the backward
 * @param exchange whether the tokens before a slice reach it
 * @param scan how states travel; a reproducible run replays them, whatever this says
 * @param scanBlocks into how many blocks a chain cuts a state; 0 for what their cost asks for
 * @param costs of messages between ranks and of folds, the same numbers on every rank
 */
public record RankMode(
    KernelChoice kernel,
    Reproducibility reproducibility,
    LayerMemory memory,
    Exchange exchange,
    ScanChoice scan,
    int scanBlocks,
    ScanCosts costs) {

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

  /** Whether a rank learns of the tokens before its slice. */
  public enum Exchange {
    /** It does: states and halos come from the ranks to the left, their gradients go back. */
    WHOLE,
    /**
     * It does not: incoming states and the halos of windows and convolutions are zeros, as are the
     * gradients that would come from the ranks to the right, and no message is sent for them.
     */
    CUT
  }

  /** What layers keep between forward and backward. */
  public enum LayerMemory {
    /** What the backward needs. */
    KEEP,
    /** Their inputs, and what came from other ranks; the rest is computed again. */
    RECOMPUTE
  }
}
