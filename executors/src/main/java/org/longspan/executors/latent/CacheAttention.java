package org.longspan.executors.latent;

import org.longspan.executors.memory.Matrix;

/**
 * How the queries of one token meet the latents that the tensor ranks keep.
 *
 * <p>Threading: one thread.
 */
interface CacheAttention {
  /** Whether this rank keeps the latent of the token at {@code position}. */
  boolean keeps(long position);

  /**
   * The means of the latents in {@code cache} as each softmax weighs them; a collective of the
   * tensor ranks where they share what a softmax is over.
   *
   * @param queries {@code [heads, columns + rope]}, of this rank's heads
   * @param contexts {@code [heads, columns]}, overwritten
   */
  void attend(LatentCache cache, Matrix queries, Matrix contexts);
}
