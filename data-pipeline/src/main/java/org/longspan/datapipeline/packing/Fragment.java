package org.longspan.datapipeline.packing;

import java.io.Serializable;

/**
 * A run of tokens in one piece of a sequence: a whole piece, or the part of it that one partition
 * of the documents gives. A bean, for Spark's encoder, which moves its arrays without boxing.
 */
public final class Fragment implements Serializable {
  private static final long serialVersionUID = 1L;

  private long sequence;
  private int piece;
  private int start;
  private int[] tokens = {};
  private int[] documentStarts = {};
  private int carried;

  /** The number of the sequence in its split. */
  public long getSequence() {
    return sequence;
  }

  public void setSequence(long sequence) {
    this.sequence = sequence;
  }

  /** The number of the piece in its sequence. */
  public int getPiece() {
    return piece;
  }

  public void setPiece(int piece) {
    this.piece = piece;
  }

  /** The offset in the piece of the first token. */
  public int getStart() {
    return start;
  }

  public void setStart(int start) {
    this.start = start;
  }

  /** The ids. */
  public int[] getTokens() {
    return tokens;
  }

  public void setTokens(int[] tokens) {
    this.tokens = tokens;
  }

  /** Ascending offsets in the piece at which a document starts. */
  public int[] getDocumentStarts() {
    return documentStarts;
  }

  public void setDocumentStarts(int[] documentStarts) {
    this.documentStarts = documentStarts;
  }

  /** How many tokens of the first token's document lie before it in the same sequence. */
  public int getCarried() {
    return carried;
  }

  public void setCarried(int carried) {
    this.carried = carried;
  }
}
