package org.longspan.executors.kernel;

import org.longspan.parallelism.collective.StateScan;
import org.longspan.parallelism.transport.Transport;

/** What a test puts between a rank and what it computes with; by default, nothing. */
public interface Seams {
  /** Nothing at all. */
  Seams NONE = new Seams() {};

  default Transport network(Transport sound) {
    return sound;
  }

  /**
   * Instead of a rank's attention.
   *
   * @param slice of the problem, which the rank holds
   */
  default LinearAttention attention(LinearAttention sound, AttentionCase slice) {
    return sound;
  }

  /**
   * Instead of a rank's scan.
   *
   * @param slice of the problem, which the rank at {@code place} of {@code places} holds
   */
  default StateScan scan(StateScan sound, AttentionCase slice, int place, int places) {
    return sound;
  }

  default WindowAttention window(WindowAttention sound) {
    return sound;
  }
}
