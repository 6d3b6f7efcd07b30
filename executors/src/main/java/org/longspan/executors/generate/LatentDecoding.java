package org.longspan.executors.generate;

import java.util.function.Function;
import org.longspan.executors.latent.AbsorbedLatentAttention;
import org.longspan.executors.latent.CacheSplit;
import org.longspan.executors.latent.LatentShape;
import org.longspan.executors.latent.LatentShare;
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

  LatentDecoding(
      LatentShape shape, CacheSplit split, Numerics numerics, Arena arena, ReadingRanks ranks) {
    this.attention =
        new AbsorbedLatentAttention(shape, split, numerics, arena, ranks.communicator());
    LatentShare share = shape.share(ranks.place().index(), ranks.place().size());
    double ofTokens =
        switch (split) {
          case FORM -> 1;
          case TOKENS -> 1.0 / ranks.place().size();
        };
    this.cacheSize =
        new CacheSize(ofTokens * share.latentWidth() * numerics.precision().bytes(), 0);
  }

  @Override
  public void step(
      ReadToken token, Matrix normalized, Function<String, Matrix> parameters, Matrix stream) {
    attention.step(normalized, LatentParameters.weights(parameters), token.reading(), stream);
  }

  @Override
  public CacheSize cacheSize() {
    return cacheSize;
  }

  @Override
  public void close() {}
}
