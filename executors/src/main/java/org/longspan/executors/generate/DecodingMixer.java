package org.longspan.executors.generate;

import java.util.function.Function;
import org.longspan.executors.memory.Matrix;

/** A mixer, a token at a time. */
interface DecodingMixer extends AutoCloseable {
  /**
   * Adds to {@code stream} {@code [1, width]} what the mixer gives for the token at {@code
   * position}.
   *
   * @param parameters by their names within the block
   */
  void step(long position, Matrix normalized, Function<String, Matrix> parameters, Matrix stream);

  /** What it remembers of the tokens before. */
  CacheSize cacheSize();

  @Override
  void close();
}
