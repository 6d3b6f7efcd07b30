package org.longspan.executors.layer;

import org.longspan.executors.latent.LatentShape;
import org.longspan.executors.latent.LatentWeights;
import org.longspan.executors.memory.Matrix;

/**
 * Is shown what comes into latent mixers, tile by tile.
 *
 * <p>Threading: called by several workers at once, for one mixer at a time, in the layers' order.
 */
public interface LatentWatch {
  /**
   * A tile {@code normalized} {@code [tokens, width]} comes into {@code mixer}.
   *
   * @param weights what this rank has of the mixer's
   */
  void project(Object mixer, LatentShape shape, Matrix normalized, LatentWeights weights);
}
