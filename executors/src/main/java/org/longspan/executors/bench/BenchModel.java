package org.longspan.executors.bench;

import java.util.Map;
import org.longspan.executors.configuration.RunConfiguration;

/** The models that benchmarks train. */
final class BenchModel {
  /** Of the byte tokenizer. */
  static final int VOCABULARY = 258;

  private BenchModel() {}

  /** Four lightning layers of width 256. */
  static RunConfiguration lightning(Map<String, String> otherwise) {
    return RunConfiguration.parse(
        "model: {width: 256, layers: 4, heads: 4, feed-forward: 704, pattern: [lightning]}",
        "the bench's model",
        otherwise);
  }

  /** A layer of each mixer, of width 128, with a convolution. */
  static RunConfiguration hybrid(Map<String, String> otherwise) {
    return RunConfiguration.parse(
        "model: {width: 128, layers: 6, heads: 4, window: 600, convolution: 4,"
            + " latent: {rank: 64, rope: 16},"
            + " pattern: [lightning, simple-gla, gla, gated-delta, local, latent]}",
        "the bench's hybrid",
        otherwise);
  }
}
