package org.longspan.executors.kernel;

/**
 * How wide an attention's heads are.
 *
 * @param heads heads on this rank
 * @param keyWidth columns of a head's queries and keys
 * @param valueWidth columns of a head's values and outputs
 */
public record AttentionShape(int heads, int keyWidth, int valueWidth) {
  public AttentionShape {
    if (heads < 1 || keyWidth < 1 || valueWidth < 1) {
      throw new IllegalArgumentException(
          "Attention of "
              + heads
              + " heads with keys of "
              + keyWidth
              + " and values of "
              + valueWidth
              + " columns: each must be at least 1");
    }
  }

  /** Columns of queries and keys, all heads side by side. */
  public int keyColumns() {
    return Math.multiplyExact(heads, keyWidth);
  }

  /** Columns of values and outputs, all heads side by side. */
  public int valueColumns() {
    return Math.multiplyExact(heads, valueWidth);
  }
}
