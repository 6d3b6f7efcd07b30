package org.longspan.executors.latent;

import org.longspan.executors.math.Numerics;
import org.longspan.executors.math.Products;
import org.longspan.executors.memory.Arena;
import org.longspan.executors.memory.Matrix;

/**
 * A running softmax of queries over a cache of latents, for each query and each of some groups of
 * the latent's columns.
 *
 * <p>Threading: one thread.
 */
final class CacheSoftmax {
  /** Makes the scores of a latent's columns those of the whole latent, in place. */
  private final LatentPlace.RowSum contentSum;

  private final Products products;
  private final LatentRows rows;
  private final int columns;
  private final int groups;
  private final int queries;
  private final Matrix scores;

  /**
   * @param queries how many there are
   * @param columns of the latent here
   * @param groups that these columns are
   */
  CacheSoftmax(
      int queries,
      int columns,
      int groups,
      Numerics numerics,
      Arena arena,
      LatentPlace.RowSum contentSum) {
    this.contentSum = contentSum;
    this.products = numerics.products();
    this.rows = LatentRows.of(numerics.precision());
    this.columns = columns;
    this.groups = groups;
    this.queries = queries;
    this.scores = arena.matrix(1, queries * LatentCache.BLOCK_LENGTH);
  }

  /**
   * Goes over the whole cache, from nothing.
   *
   * @param queries {@code [queries, columns + rope]}
   * @param contexts {@code [queries, columns]}: sums relative to the maxima
   * @param maxima {@code [queries, groups]}: minus infinity where the cache is empty
   * @param sums {@code [queries, groups]}: of the weights
   */
  void sweep(LatentCache cache, Matrix queries, Matrix contexts, Matrix maxima, Matrix sums) {
    contexts.zero();
    sums.zero();
    rows.fill(maxima, Double.NEGATIVE_INFINITY);
    for (int number = 0; number < cache.blocks(); number++) {
      Matrix block = cache.block(number);
      int tokens = Math.toIntExact(block.rows());
      Matrix weights = scores.columns(0, this.queries * tokens).reshape(this.queries, tokens);
      for (int group = 0; group < groups; group++) {
        Matrix latents = ofGroup(block, group);
        Matrix context = ofGroup(contexts, group);
        products.multiplyTransposed(ofGroup(queries, group), latents, 0, weights);
        contentSum.sum(weights);
        products.multiplyTransposed(ofRope(queries), ofRope(block), 1, weights);
        rows.absorb(
            weights, context, maxima.columns(group, group + 1), sums.columns(group, group + 1));
        products.multiply(weights, latents, 1, context);
      }
    }
  }

  /** Divides what {@link #sweep} leaves by its sums. */
  void finish(Matrix contexts, Matrix maxima, Matrix sums) {
    for (int group = 0; group < groups; group++) {
      rows.finishSoftmax(
          ofGroup(contexts, group),
          maxima.columns(group, group + 1),
          sums.columns(group, group + 1));
    }
  }

  private Matrix ofGroup(Matrix matrix, int group) {
    return matrix.columns(group * columns / groups, (group + 1) * columns / groups);
  }

  private Matrix ofRope(Matrix matrix) {
    return matrix.columns(columns, matrix.columns());
  }
}
