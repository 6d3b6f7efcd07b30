package org.longspan.executors.train;

import java.io.Serializable;

/**
 * What every rank of a run does. It travels to the executors, so it holds plain values only, no
 * state of a rank. It is run anew in each attempt and must go on from what the last one committed.
 */
@FunctionalInterface
public interface RankProgram extends Serializable {
  void run(RankContext context);
}
