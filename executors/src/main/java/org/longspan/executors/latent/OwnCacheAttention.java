package org.longspan.executors.latent;

import org.longspan.executors.math.Numerics;
import org.longspan.executors.memory.Arena;
import org.longspan.executors.memory.Matrix;

/** Each rank attends to what it keeps of every token, for its heads. */
final class OwnCacheAttention implements CacheAttention {
  private final CacheSoftmax softmax;
  private final Matrix maxima;
  private final Matrix sums;

  private OwnCacheAttention(CacheSoftmax softmax, int heads, int groups, Arena arena) {
    this.softmax = softmax;
    this.maxima = arena.matrix(heads, groups);
    this.sums = arena.matrix(heads, groups);
  }

  /** A softmax for each group here. */
  static OwnCacheAttention ofGroups(LatentShare share, Numerics numerics, Arena arena) {
    return new OwnCacheAttention(
        new CacheSoftmax(
            share.heads(),
            share.columns(),
            share.groups(),
            numerics,
            arena,
            scores -> {
              // Those of a group are its own.
            }),
        share.heads(),
        share.groups(),
        arena);
  }

  /**
   * One softmax over all groups, here and on the other ranks, whose parts of the scores are summed:
   * a rank receives about {@code 2(T−1)/T · heads · n} numbers for the token at position n, T the
   * tensor ranks.
   *
   * @param scoreSum over the tensor ranks
   */
  static OwnCacheAttention ofTheWhole(
      LatentShare share, Numerics numerics, Arena arena, LatentPlace.RowSum scoreSum) {
    return new OwnCacheAttention(
        new CacheSoftmax(share.heads(), share.columns(), 1, numerics, arena, scoreSum),
        share.heads(),
        1,
        arena);
  }

  @Override
  public boolean keeps(long position) {
    return true;
  }

  @Override
  public void attend(LatentCache cache, Matrix queries, Matrix contexts) {
    softmax.sweep(cache, queries, contexts, maxima, sums);
    softmax.finish(contexts, maxima, sums);
  }
}
