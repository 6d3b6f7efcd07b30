package org.longspan.datapipeline.dataset;

/** The row that a reader has just assembled; used again for the next one. */
final class PieceRow {
  private final IntArray tokens = new IntArray();
  private final IntArray documentStarts = new IntArray();
  private long sequence;
  private int piece;
  private int carried;

  void clear() {
    tokens.clear();
    documentStarts.clear();
    carried = 0;
  }

  void sequence(long value) {
    sequence = value;
  }

  void piece(int value) {
    piece = value;
  }

  void carried(int value) {
    carried = value;
  }

  long sequence() {
    return sequence;
  }

  int piece() {
    return piece;
  }

  int carried() {
    return carried;
  }

  IntArray tokens() {
    return tokens;
  }

  IntArray documentStarts() {
    return documentStarts;
  }
}
