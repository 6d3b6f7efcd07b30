package org.longspan.datapipeline.dataset;

/** The tokens of a part of a sequence and where documents begin in it. Immutable by convention. */
public final class TokenSlice {
  private final int[] tokens;
  private final int[] documentStarts;
  private final long before;

  TokenSlice(int[] tokens, int[] documentStarts, long before) {
    this.tokens = tokens;
    this.documentStarts = documentStarts;
    this.before = before;
  }

  /** The ids, {@code [tokens]}; the array itself, not a copy. */
  public int[] tokens() {
    return tokens;
  }

  /** Ascending offsets in the slice at which a document starts; the array itself, not a copy. */
  public int[] documentStarts() {
    return documentStarts;
  }

  /**
   * How many tokens of the first token's document lie before the slice in the same sequence; 0 if a
   * document starts at offset 0 or the slice is empty.
   */
  public long before() {
    return before;
  }

  /** The number of tokens. */
  public int length() {
    return tokens.length;
  }
}
