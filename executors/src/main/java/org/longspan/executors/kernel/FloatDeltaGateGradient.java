package org.longspan.executors.kernel;

import java.util.Arrays;
import org.longspan.executors.vector.FloatDeltaTile;
import org.longspan.executors.vector.FloatTile;

/**
 * The gradient of a chunk's gates. Token t's log gate multiplies whatever passes it, so that its
 * gradient is the sum of what does, each as much as it gives to the loss: pairs of tokens {@code s
 * < t ≤ r}, the state before the chunk read at {@code r ≥ t}, tokens {@code s < t} kept in the
 * state after the chunk, and the state before in the state after. All of it has its decay on it;
 * sums of {@code q · dq − v · dv} would be the same, but what strong gates leave is lost in them.
 *
 * <p>Threading: one thread at a time.
 */
final class FloatDeltaGateGradient {
  private final FloatTile pairs;
  private final float[] columns;
  private final double[] reads;
  private final double[] kept;
  private final double[] sums;
  private double through;

  /**
   * @param chunk most tokens of a chunk
   * @param keyWidth rows of a state
   */
  FloatDeltaGateGradient(int chunk, int keyWidth) {
    this.pairs = new FloatTile(chunk, chunk);
    this.columns = new float[FloatTile.padded(chunk)];
    this.reads = new double[FloatTile.padded(chunk)];
    this.kept = new double[FloatTile.padded(chunk)];
    this.sums = new double[FloatTile.padded(Math.max(chunk, keyWidth))];
  }

  /** Starts a chunk. */
  void clear() {
    Arrays.fill(reads, 0);
    Arrays.fill(kept, 0);
    through = 0;
  }

  /** The chunk's first pairs: the product of two triangular tiles. */
  void takePairs(FloatTile a, FloatTile b, int length) {
    FloatDeltaTile.multiplyTriangles(a, b, pairs, length);
  }

  /** More pairs: the product of two triangular tiles. */
  void addPairs(FloatTile a, FloatTile b, int length) {
    FloatDeltaTile.addTriangleProducts(a, b, pairs, length);
  }

  /** Reads of the state before, one a token: the inner product of two rows. */
  void addReads(FloatTile a, FloatTile b, int length, int columns) {
    FloatDeltaTile.addRowProducts(a, b, reads, length, columns);
  }

  /** Tokens kept in the state after, one by one: the inner product of two rows. */
  void addKept(FloatTile a, FloatTile b, int length, int columns) {
    FloatDeltaTile.addRowProducts(a, b, kept, length, columns);
  }

  /** The state before in the state after: {@code factor} times the inner product of two tiles. */
  void addThrough(double factor, FloatTile a, FloatTile b, int rows, int columns) {
    Arrays.fill(sums, 0);
    FloatDeltaTile.addRowProducts(a, b, sums, rows, columns);
    for (int row = 0; row < rows; row++) {
      through += factor * sums[row];
    }
  }

  /** The gradient of each gate, until the next call here. */
  double[] sum(int length) {
    Arrays.fill(sums, 0);
    FloatDeltaTile.addCrossings(pairs, columns, sums, length);
    double before = 0;
    for (int t = 0; t < length; t++) {
      sums[t] += before;
      before += kept[t];
    }
    double behind = through;
    for (int t = length - 1; t >= 0; t--) {
      behind += reads[t];
      sums[t] += behind;
    }
    return sums;
  }
}
