package org.longspan.executors.generate;

import java.util.function.Function;
import org.longspan.executors.latent.AbsorbedLatentAttention;
import org.longspan.executors.latent.LatentShape;
import org.longspan.executors.layer.LatentParameters;
import org.longspan.executors.math.Numerics;
import org.longspan.executors.memory.Arena;
import org.longspan.executors.memory.Matrix;

/**
 * Latent attention, a token at a time, from a cache of latents that grows with what was read; see
 * {@link AbsorbedLatentAttention}.
 */
final class LatentDecoding implements DecodingMixer {
  private final AbsorbedLatentAttention attention;
  private final CacheSize cacheSize;

  LatentDecoding(LatentShape shape, Numerics numerics, Arena arena) {
    this.attention = new AbsorbedLatentAttention(shape, numerics, arena);
    this.cacheSize =
        new CacheSize((long) (shape.rank() + shape.rope()) * numerics.precision().bytes(), 0);
  }

  @Override
  public void step(
      long position, Matrix normalized, Function<String, Matrix> parameters, Matrix stream) {
    attention.step(normalized, LatentParameters.weights(parameters), stream);
  }

  @Override
  public CacheSize cacheSize() {
    return cacheSize;
  }

  @Override
  public void close() {}
}
