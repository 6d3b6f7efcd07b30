package org.longspan.parallelism.collective;

import java.nio.ByteBuffer;

/**
 * What a piece of a sequence multiplies the state with that comes to it.
 *
 * @param elements from position to limit, in native byte order, of the scan's {@link ElementType}
 */
public record Transition(TransitionKind kind, ByteBuffer elements) {
  /**
   * One factor for each row of the state, {@code [heads · keyWidth]}. A factor of 0 drops the row
   * that comes in, even NaN.
   */
  public static Transition diagonal(ByteBuffer factors) {
    return new Transition(TransitionKind.DIAGONAL, factors);
  }

  /**
   * A matrix M for each head, {@code [heads, keyWidth, keyWidth]} row-major: forward {@code M·S},
   * backward {@code Mᵀ·dS}. An element of 0 drops what it would multiply, even NaN, so that a
   * head's matrix of zeros drops all of it.
   */
  public static Transition matrix(ByteBuffer matrices) {
    return new Transition(TransitionKind.MATRIX, matrices);
  }
}
