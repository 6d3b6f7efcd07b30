package org.longspan.executors.kernel;

import org.longspan.executors.memory.FloatMatrix;
import org.longspan.executors.vector.FloatTile;

/**
 * How the gates of one chunk of one head weigh what it holds, for token r of the chunk, with {@code
 * g} the logs of the gates:
 *
 * <pre>
 *   rise_r  = exp Σ_{j ≤ r} g_j        from the state before the chunk to token r
 *   fall_s  = exp Σ_{j > s} g_j        from token s to the state after the chunk
 *   D_rs    = exp Σ_{s < j ≤ r} g_j    from token s to token r ≥ s
 *   decay   = exp Σ_j g_j              from the state before the chunk to the one after
 * </pre>
 *
 * Each is a sum of its own terms or a product of factors of at most 1, never a quotient or a
 * difference of sums, so that nothing overflows and no strong gate costs a weak one its digits.
 *
 * <p>Threading: one thread at a time; it holds the chunk that was loaded last.
 */
interface FloatGatedFactors {
  /**
   * Loads the logs only.
   *
   * @param row the chunk's first token in {@code gates}
   * @param length tokens in the chunk
   */
  void loadLogs(FloatMatrix gates, int head, long row, int length);

  /** Loads what leads to the state after a chunk: logs, decay and fall. */
  void loadFall(FloatMatrix gates, int head, long row, int length);

  /** Loads what leads from the state before a chunk: logs, decay and rise. */
  void loadRise(FloatMatrix gates, int head, long row, int length);

  /** Loads everything. */
  void load(FloatMatrix gates, int head, long row, int length);

  /** {@code sums += Σ_j g_j}, for each key column. */
  void addLogs(double[] sums);

  /** For each key column. */
  float[] decay();

  /** {@code to = rise ⊙ from}, both {@code [length, keyWidth]}. */
  void rise(FloatTile from, FloatTile to);

  /** {@code to = fall ⊙ from}, both {@code [length, keyWidth]}. */
  void fall(FloatTile from, FloatTile to);

  /** {@code A_rs = Σ_i q_ri k_si D_rs,i} for s ≤ r, a triangular tile. */
  void scores(FloatTile queries, FloatTile keys, FloatTile scores);

  /**
   * The scores, and what the gradients {@code G_rs} of those with s &lt; r give: {@code dq_r +=
   * Σ_{s<r} G_rs k_s ⊙ D_rs} and {@code dk_s = Σ_{r>s} G_rs q_r ⊙ D_rs}. A token's pair with itself
   * has no gate, and is left out so that it does not drown what the gates get.
   *
   * @param scoreGradients triangular; overwritten
   */
  void pairGradients(
      FloatTile queries,
      FloatTile keys,
      FloatTile scoreGradients,
      FloatTile scores,
      FloatTile queryGradients,
      FloatTile keyGradients);

  /** Writes the gradients of the chunk's gates, given for each key column. */
  void store(FloatTile gradients, FloatMatrix to, int head, long row, int length);

  /** Adds to the gradients of the chunk's gates what is given for each key column. */
  void add(FloatTile gradients, FloatMatrix to, int head, long row, int length);
}
