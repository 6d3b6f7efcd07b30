package org.longspan.datapipeline.prepare;

import java.util.List;
import org.longspan.datapipeline.InvalidInputException;

/**
 * What to prepare and how.
 *
 * @param inputs text files, folders, zip or jar archives, Parquet files, on any Hadoop file system
 * @param output the folder of the dataset, which must not exist or be empty
 * @param sequenceLength tokens of a sequence, at least 2
 * @param textColumn the column of Parquet files that holds the text
 * @param validationShare the share of the documents that is kept for validation, in [0, 1), rounded
 *     to a thousandth; with 0 there is no validation split
 * @param pieceLength tokens of a row of the dataset
 * @param tokensPerFile about how many tokens a file holds; a file holds whole sequences
 * @param partitions the number of partitions in which documents are ordered, or 0 to choose by the
 *     size of the input; it changes nothing in the dataset
 */
public record PrepareOptions(
    List<String> inputs,
    String output,
    int sequenceLength,
    String textColumn,
    double validationShare,
    int pieceLength,
    long tokensPerFile,
    int partitions) {
  /** The column that is read where none is named. */
  public static final String DEFAULT_TEXT_COLUMN = "text";

  /** The share of the documents that is kept for validation where none is named. */
  public static final double DEFAULT_VALIDATION_SHARE = 0.02;

  /** Tokens of a row: small enough for slices, large enough for Parquet. */
  public static final int DEFAULT_PIECE_LENGTH = 1024;

  private static final long DEFAULT_TOKENS_PER_FILE = 1L << 24;
  private static final int SHORTEST_SEQUENCE = 2;

  public PrepareOptions {
    inputs = List.copyOf(inputs);
    if (inputs.isEmpty()) {
      throw new InvalidInputException("No input is given; name at least one file or folder.");
    }
    if (sequenceLength < SHORTEST_SEQUENCE) {
      throw new InvalidInputException(
          "Sequence length %d is too short; a sequence needs at least %d tokens."
              .formatted(sequenceLength, SHORTEST_SEQUENCE));
    }
    if (!(validationShare >= 0 && validationShare < 1)) {
      throw new InvalidInputException(
          "Validation share %s is out of range; give at least 0 and less than 1."
              .formatted(validationShare));
    }
    if (pieceLength < 1 || tokensPerFile < 1 || partitions < 0) {
      throw new InvalidInputException(
          "Piece length %d and tokens per file %d must be at least 1 and partitions %d at least 0."
              .formatted(pieceLength, tokensPerFile, partitions));
    }
  }

  /** These inputs and this output, with the defaults for everything else. */
  public static PrepareOptions of(List<String> inputs, String output, int sequenceLength) {
    return new PrepareOptions(
        inputs,
        output,
        sequenceLength,
        DEFAULT_TEXT_COLUMN,
        DEFAULT_VALIDATION_SHARE,
        DEFAULT_PIECE_LENGTH,
        DEFAULT_TOKENS_PER_FILE,
        0);
  }

  /** The same with another column for the text of Parquet files. */
  public PrepareOptions withTextColumn(String column) {
    return new PrepareOptions(
        inputs,
        output,
        sequenceLength,
        column,
        validationShare,
        pieceLength,
        tokensPerFile,
        partitions);
  }

  /** The same with another share for validation. */
  public PrepareOptions withValidationShare(double share) {
    return new PrepareOptions(
        inputs, output, sequenceLength, textColumn, share, pieceLength, tokensPerFile, partitions);
  }

  /** The same with rows of another length. */
  public PrepareOptions withPieceLength(int length) {
    return new PrepareOptions(
        inputs,
        output,
        sequenceLength,
        textColumn,
        validationShare,
        length,
        tokensPerFile,
        partitions);
  }

  /** The same with files of another length. */
  public PrepareOptions withTokensPerFile(long tokens) {
    return new PrepareOptions(
        inputs,
        output,
        sequenceLength,
        textColumn,
        validationShare,
        pieceLength,
        tokens,
        partitions);
  }

  /** The same in another number of partitions. */
  public PrepareOptions withPartitions(int count) {
    return new PrepareOptions(
        inputs,
        output,
        sequenceLength,
        textColumn,
        validationShare,
        pieceLength,
        tokensPerFile,
        count);
  }

  /** The inputs in a sentence. */
  String inputNames() {
    return String.join(", ", inputs);
  }
}
