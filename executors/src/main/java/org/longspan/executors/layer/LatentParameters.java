package org.longspan.executors.layer;

import java.util.function.Function;
import org.longspan.executors.latent.LatentWeights;
import org.longspan.executors.memory.Matrix;

/** The weights of latent mixers among the parameters of a model. */
public final class LatentParameters {
  private LatentParameters() {}

  /**
   * The weights of one latent mixer.
   *
   * @param named parameters by their names within the block; null for those that there are not
   */
  public static LatentWeights weights(Function<String, Matrix> named) {
    return LatentMixer.weights(named);
  }
}
