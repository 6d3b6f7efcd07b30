package org.longspan.datapipeline.dataset;

import java.io.Serializable;

/**
 * Where a token lies. A split is one stream of tokens; sequence {@code s} holds tokens {@code [s n,
 * (s + 1) n)} of it, where {@code n} is the sequence length, and the last sequence may be shorter.
 * Piece {@code i} of a sequence holds its tokens {@code [i m, (i + 1) m)}, cut off at the end of
 * the sequence, where {@code m} is the piece length.
 *
 * @param sequenceLength tokens of a sequence
 * @param pieceLength tokens of a piece
 */
public record SequenceLayout(int sequenceLength, int pieceLength) implements Serializable {

  public SequenceLayout {
    if (sequenceLength < 1 || pieceLength < 1) {
      throw new IllegalArgumentException(
          "Sequence length " + sequenceLength + " and piece length " + pieceLength + " must be 1+");
    }
  }

  /** The number of sequences that hold {@code tokens} tokens. */
  public long sequences(long tokens) {
    return tokens / sequenceLength + (tokens % sequenceLength == 0 ? 0 : 1);
  }

  /** The length of {@code sequence} in a split of {@code tokens} tokens. */
  public int length(long sequence, long tokens) {
    return (int) Math.min(sequenceLength, tokens - sequence * sequenceLength);
  }

  /** The sequence of the token at {@code position} of the split. */
  public long sequence(long position) {
    return position / sequenceLength;
  }

  /** The place in its sequence of the token at {@code position} of the split. */
  public int offset(long position) {
    return (int) (position % sequenceLength);
  }

  /** The piece that holds the token at {@code offset} of a sequence. */
  public int piece(int offset) {
    return offset / pieceLength;
  }

  /** The offset in its sequence of the first token of {@code piece}. */
  public int pieceStart(int piece) {
    return piece * pieceLength;
  }

  /** The offset in its sequence behind the last token of {@code piece} of a full sequence. */
  public int pieceEnd(int piece) {
    return (int) Math.min(sequenceLength, (piece + 1L) * pieceLength);
  }
}
