package org.longspan.executors.bench.collective;

import java.util.ArrayList;
import java.util.List;

/**
 * How long scans take by the model where each rank has a host of its own.
 *
 * @param blocks of the chain
 */
public record Prediction(
    int ranks,
    int blocks,
    double chainSeconds,
    double logSeconds,
    double lasp1Seconds,
    double lasp2Seconds,
    double allGatherSeconds) {
  private static final int MOST_RANKS = 4_096;

  /**
   * Of 2, 4, 8 and so on up to 4,096 ranks, for a state of {@code heads} times 128 × 128 floats.
   */
  public static List<Prediction> table(LinkCosts costs, int heads) {
    double state = CollectiveRank.shape(heads).bytes();
    double transition = CollectiveRank.shape(heads).rows() * (double) Float.BYTES;
    List<Prediction> rows = new ArrayList<>();
    for (int ranks = 2; ranks <= MOST_RANKS; ranks *= 2) {
      int blocks =
          Math.min(
              CollectiveRank.shape(heads).rows(),
              costs.link().chainBlocks(ranks, (long) state, costs.foldSecondsPerByte() * state));
      rows.add(
          new Prediction(
              ranks,
              blocks,
              costs.pathSeconds(CollectiveWork.chain(ranks, state, blocks, ranks)),
              costs.pathSeconds(CollectiveWork.logScan(ranks, state, transition)),
              costs.pathSeconds(CollectiveWork.chain(ranks, state, 1, ranks)),
              costs.pathSeconds(CollectiveWork.gatherScan(ranks, state, transition)),
              costs.pathSeconds(CollectiveWork.allGather(ranks, state))));
    }
    return rows;
  }
}
