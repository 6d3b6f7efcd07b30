package org.longspan.parallelism.collective;

import java.nio.ByteBuffer;

/**
 * What a stretch of a sequence does to a state, {@code (Γ, Ŝ)}, in one buffer, which travels as
 * one: the transition, then the state from zero.
 */
record Stretch(ByteBuffer bytes, ByteBuffer transition, ByteBuffer state) {
  static Stretch in(ByteBuffer bytes, int transitionBytes) {
    return new Stretch(
        bytes,
        bytes.slice(0, transitionBytes),
        bytes.slice(transitionBytes, bytes.limit() - transitionBytes));
  }

  /**
   * What must travel: where the state counts from the very beginning, nothing comes before it that
   * the transition could change.
   */
  ByteBuffer travelling(boolean fromTheBeginning) {
    return fromTheBeginning ? state : bytes;
  }
}
