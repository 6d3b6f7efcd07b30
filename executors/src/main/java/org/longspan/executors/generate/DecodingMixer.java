package org.longspan.executors.generate;

import java.util.function.Function;
import org.longspan.executors.memory.Matrix;

/** A mixer, a token at a time. */
interface DecodingMixer extends AutoCloseable {
  /**
   * Adds to {@code stream} {@code [1, width]} what this rank's share of the mixer gives for {@code
   * token}.
   *
   * @param parameters by their names within the block
   */
  void step(ReadToken token, Matrix normalized, Function<String, Matrix> parameters, Matrix stream);

  /** What this rank remembers of the tokens before. */
  CacheSize cacheSize();

  @Override
  void close();
}
