package org.longspan.executors.layer;

import org.longspan.executors.memory.Matrix;

/**
 * Is shown what comes into latent mixers, tile by tile.
 *
 * <p>Threading: called by several workers at once, for one mixer at a time, in the layers' order.
 */
public interface LatentWatch {
  /**
   * A tile {@code normalized} {@code [tokens, width]} comes into {@code mixer}, whose latent is its
   * product with {@code latentDown} {@code [width, rank]}.
   */
  void project(Object mixer, Matrix normalized, Matrix latentDown);
}
