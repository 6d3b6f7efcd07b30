package org.longspan.datapipeline.dataset;

/** Puts the pieces of one slice together, which come in ascending order. */
final class SliceAssembly {
  private final SequenceLayout layout;
  private final int length;
  private final int from;
  private final int to;
  private final int[] tokens;
  private final IntArray documentStarts = new IntArray();
  private int filled;
  private int before;

  /**
   * @param length tokens of the sequence
   */
  SliceAssembly(SequenceLayout layout, int length, int from, int to) {
    this.layout = layout;
    this.length = length;
    this.from = from;
    this.to = to;
    this.tokens = new int[to - from];
  }

  /** Takes the next piece; false if it is not the next or has another length than it must have. */
  boolean add(PieceRow row) {
    int start = layout.pieceStart(row.piece());
    int end = Math.min(length, layout.pieceEnd(row.piece()));
    int low = Math.max(from, start);
    int high = Math.min(to, end);
    if (low != from + filled || row.tokens().size() != end - start) {
      return false;
    }
    row.tokens().copy(low - start, high - start, tokens, low - from);
    if (filled == 0) {
      before = before(row, start);
    }
    for (int i = 0; i < row.documentStarts().size(); i++) {
      int document = start + row.documentStarts().at(i);
      if (document >= low && document < high) {
        documentStarts.add(document - from);
      }
    }
    filled += high - low;
    return true;
  }

  boolean complete() {
    return filled == tokens.length;
  }

  TokenSlice finish() {
    return new TokenSlice(tokens, documentStarts.toArray(), before);
  }

  private int before(PieceRow row, int start) {
    int before = row.carried() + from - start;
    for (int i = 0; i < row.documentStarts().size(); i++) {
      int document = start + row.documentStarts().at(i);
      if (document <= from) {
        before = from - document;
      }
    }
    return before;
  }
}
