package org.longspan.executors.layer;

import java.util.ArrayList;
import java.util.List;
import org.longspan.executors.memory.Matrix;
import org.longspan.parallelism.collective.BlockFold;

/**
 * One worker's sums of one gradient over neighbouring blocks: as few numbers as the order of the
 * fold allows, one matrix for each power of two at most twice.
 *
 * <p>Threading: its worker, then the rank's own thread.
 */
final class TileFold {
  private final RankEnvironment environment;
  private final String name;
  private final Matrix shape;
  private final List<Matrix> free = new ArrayList<>();
  private final List<Matrix> held = new ArrayList<>();
  private final List<BlockFold.Node> nodes = new ArrayList<>();
  private int made;
  private Matrix leaf;

  /**
   * @param name of the gradient, this worker's own
   * @param shape a matrix like those to be summed
   */
  TileFold(RankEnvironment environment, String name, Matrix shape) {
    this.environment = environment;
    this.name = name;
    this.shape = shape;
    // A fold of n blocks that starts anywhere holds two nodes for each power of two below n.
    int most = 2 * (Integer.SIZE - Integer.numberOfLeadingZeros(environment.mostPieces())) + 1;
    for (int i = 0; i < most; i++) {
      free.add(newMatrix());
    }
  }

  private Matrix newMatrix() {
    made++;
    return environment.shared("fold " + name + " " + made, shape.rows(), shape.columns());
  }

  void start() {
    if (leaf != null) {
      free.add(leaf);
      leaf = null;
    }
    free.addAll(held);
    held.clear();
    nodes.clear();
  }

  /** Where the block that is worked on adds; zero at first. */
  Matrix leaf() {
    if (leaf == null) {
      leaf = free.remove(free.size() - 1);
      leaf.zero();
    }
    return leaf;
  }

  /** The block that was worked on was {@code block}, counted over the whole sequence. */
  void endLeaf(long block) {
    if (leaf == null) {
      return;
    }
    nodes.add(new BlockFold.Node(0, block, leaf.bytes()));
    held.add(leaf);
    leaf = null;
    while (BlockFold.endsInPair(nodes)) {
      BlockFold.joinLastPair(nodes, environment.elementType());
      free.add(held.remove(held.size() - 1));
    }
  }

  List<BlockFold.Node> nodes() {
    return nodes;
  }
}
