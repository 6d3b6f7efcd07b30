package org.longspan.datapipeline.dataset;

/**
 * The columns of a row, which is one piece of a sequence. Rows are sorted by sequence and piece.
 */
public final class PieceSchema {
  /** Long: the number of the sequence in its split. */
  public static final String SEQUENCE = "sequence";

  /** Int: the number of the piece in its sequence. */
  public static final String PIECE = "piece";

  /** List of ints: the ids. */
  public static final String TOKENS = "tokens";

  /**
   * List of ints: ascending offsets in the piece at which a document starts. The beginning of a
   * sequence always is one: a document cut there goes on as if it were new.
   */
  public static final String DOCUMENT_STARTS = "document_starts";

  /**
   * Int: how many tokens of the first token's document lie before the piece in the same sequence; 0
   * where the piece begins with a document or a sequence.
   */
  public static final String CARRIED = "carried";

  private PieceSchema() {}
}
