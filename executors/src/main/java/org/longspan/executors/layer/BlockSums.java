package org.longspan.executors.layer;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.longspan.executors.memory.Matrix;
import org.longspan.parallelism.collective.BlockFold;

/**
 * Sums over the blocks of the grid in one order, whichever worker and rank holds them, so that the
 * sum is the same to the last bit: by pairs of neighbouring blocks, then pairs of pairs, and so on.
 * Every rank of the sequence ends with the sum over all of them.
 */
final class BlockSums implements GradientSums {
  private final RankEnvironment environment;
  private final Map<String, Matrix> results;
  private final Map<String, TileFold[]> folds = new LinkedHashMap<>();

  /**
   * @param results where the model wants the gradients
   */
  BlockSums(RankEnvironment environment, Map<String, Matrix> results) {
    this.environment = environment;
    this.results = results;
    for (Map.Entry<String, Matrix> result : results.entrySet()) {
      TileFold[] ofWorker = new TileFold[environment.workers().threads()];
      for (int worker = 0; worker < ofWorker.length; worker++) {
        ofWorker[worker] =
            new TileFold(environment, worker + " " + result.getKey(), result.getValue());
      }
      folds.put(result.getKey(), ofWorker);
    }
  }

  @Override
  public void start() {
    for (TileFold[] ofWorker : folds.values()) {
      for (TileFold fold : ofWorker) {
        fold.start();
      }
    }
  }

  @Override
  public Matrix of(int worker, String name) {
    return folds.get(name)[worker].leaf();
  }

  @Override
  public void endTile(int worker, int tile) {
    long block = environment.input().firstPosition() / environment.tile() + tile;
    for (TileFold[] ofWorker : folds.values()) {
      ofWorker[worker].endLeaf(block);
    }
  }

  @Override
  public void finish() {
    for (Map.Entry<String, Matrix> result : results.entrySet()) {
      List<BlockFold.Node> nodes = new ArrayList<>();
      for (TileFold fold : folds.get(result.getKey())) {
        nodes.addAll(fold.nodes());
      }
      environment.blockFold().sum(nodes, environment.elementType(), result.getValue().bytes());
    }
  }
}
