package org.longspan.executors.bench.collective;

/**
 * What a collective moves and computes: along its longest path, step after step, and by all ranks
 * together. P ranks, m bytes of a state, g of its transition, K blocks or segments.
 *
 * @param steps of the longest path, one after the other
 * @param stepBytes that travel in a step
 * @param stepFoldedBytes of states that are multiplied or added in a step
 * @param bytes that all ranks receive
 * @param messages that all ranks receive
 * @param foldedBytes of states that all ranks multiply or add
 */
public record CollectiveWork(
    double steps,
    double stepBytes,
    double stepFoldedBytes,
    double bytes,
    double messages,
    double foldedBytes) {
  private static final double SEGMENT_BYTES = 256 << 10;

  /**
   * The chain, the replay and, with one block, LASP-1: P + K − 2 steps of a block.
   *
   * @param pieces of all ranks together, each of which folds the state once
   */
  public static CollectiveWork chain(int ranks, double stateBytes, int blocks, int pieces) {
    double block = stateBytes / blocks;
    double foldsOfRank = Math.ceil((double) pieces / ranks);
    return new CollectiveWork(
        ranks + blocks - 2,
        block,
        block * foldsOfRank,
        (ranks - 1) * stateBytes,
        (ranks - 1.0) * blocks,
        (pieces - 1) * stateBytes);
  }

  /** Hillis and Steele's scan: ⌈log₂P⌉ rounds of a state and its transition. */
  public static CollectiveWork logScan(int ranks, double stateBytes, double transitionBytes) {
    int rounds = Integer.SIZE - Integer.numberOfLeadingZeros(ranks - 1);
    double states = 0;
    double transitions = 0;
    for (int distance = 1; distance < ranks; distance *= 2) {
      states += ranks - distance;
      transitions += Math.max(0, ranks - 2 * distance);
    }
    double bytes = states * stateBytes + transitions * transitionBytes;
    double travelling = stateBytes + transitionBytes;
    double messages =
        transitions * Math.ceil(travelling / SEGMENT_BYTES)
            + (states - transitions) * Math.ceil(stateBytes / SEGMENT_BYTES);
    return new CollectiveWork(
        rounds, travelling, 2 * stateBytes, bytes, messages, 2 * states * stateBytes);
  }

  /** LASP-2: an all-gather of states and transitions; the rank at place p folds p states. */
  public static CollectiveWork gatherScan(int ranks, double stateBytes, double transitionBytes) {
    CollectiveWork gather = allGather(ranks, stateBytes + transitionBytes);
    return new CollectiveWork(
        gather.steps,
        gather.stepBytes,
        stateBytes,
        gather.bytes,
        gather.messages,
        ranks * (ranks - 1.0) / 2 * stateBytes);
  }

  /** A ring of P − 1 steps of a rank's bytes. */
  public static CollectiveWork allGather(int ranks, double bytesOfRank) {
    return ring(ranks, ranks - 1, bytesOfRank, 0);
  }

  /** A ring of P − 1 steps of a P-th part, which is added. */
  public static CollectiveWork reduceScatter(int ranks, double bytesOfRank) {
    return ring(ranks, ranks - 1, bytesOfRank / ranks, bytesOfRank / ranks);
  }

  /** A reduce-scatter and an all-gather of the parts. */
  public static CollectiveWork allReduce(int ranks, double bytesOfRank) {
    return ring(ranks, 2 * (ranks - 1), bytesOfRank / ranks, bytesOfRank / ranks / 2);
  }

  /** P − 1 steps of a P-th part. */
  public static CollectiveWork allToAll(int ranks, double bytesOfRank) {
    return ring(ranks, ranks - 1, bytesOfRank / ranks, 0);
  }

  /** From one rank to the next in K segments: P + K − 2 steps. */
  public static CollectiveWork broadcast(int ranks, double bytes) {
    double segments = Math.ceil(bytes / SEGMENT_BYTES);
    return new CollectiveWork(
        ranks + segments - 2, bytes / segments, 0, (ranks - 1) * bytes, (ranks - 1) * segments, 0);
  }

  private static CollectiveWork ring(int ranks, int steps, double stepBytes, double folded) {
    double all = (double) ranks * steps;
    return new CollectiveWork(
        steps,
        stepBytes,
        folded,
        all * stepBytes,
        all * Math.ceil(stepBytes / SEGMENT_BYTES),
        all * folded);
  }
}
