package org.longspan.datapipeline.dataset;

import com.fasterxml.jackson.annotation.JsonInclude;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Optional;

/**
 * What a dataset says of itself; the JSON file {@code manifest.json}, written last, so that a
 * folder without it is incomplete.
 *
 * @param formatVersion the version of the layout, {@link #FORMAT_VERSION}
 * @param tokenizer the tokenizer's name
 * @param vocabulary the number of ids
 * @param sequenceLength tokens of each sequence but the last of a split
 * @param pieceLength tokens of a row
 * @param train the training split
 * @param validation the validation split, or null where there is none
 * @param skipped what did not become documents
 * @param checksum SHA-256 over the splits' names, sequence ranges and file checksums
 */
@JsonInclude(JsonInclude.Include.NON_NULL)
public record Manifest(
    int formatVersion,
    String tokenizer,
    int vocabulary,
    int sequenceLength,
    int pieceLength,
    SplitSummary train,
    SplitSummary validation,
    SkippedInput skipped,
    String checksum) {

  /** The version that this code writes and reads. */
  public static final int FORMAT_VERSION = 1;

  /** The name of the file. */
  public static final String FILE = "manifest.json";

  /** This manifest with the checksum that its files give. */
  public Manifest sealed() {
    return new Manifest(
        formatVersion,
        tokenizer,
        vocabulary,
        sequenceLength,
        pieceLength,
        train,
        validation,
        skipped,
        checksumOfFiles());
  }

  /** The summary of {@code split}, if the dataset has it. */
  public Optional<SplitSummary> split(Split split) {
    return switch (split) {
      case TRAIN -> Optional.ofNullable(train);
      case VALIDATION -> Optional.ofNullable(validation);
    };
  }

  /** How sequences are cut. */
  public SequenceLayout layout() {
    return new SequenceLayout(sequenceLength, pieceLength);
  }

  /** SHA-256 over the splits' names, sequence ranges and file checksums, hexadecimal. */
  String checksumOfFiles() {
    StringBuilder lines = new StringBuilder();
    for (Split split : Split.values()) {
      for (DatasetFile file : split(split).map(SplitSummary::files).orElse(List.of())) {
        lines.append(split.folder()).append(' ').append(file.firstSequence());
        lines.append(' ').append(file.lastSequence()).append(' ').append(file.checksum());
        lines.append('\n');
      }
    }
    return Checksum.of(lines.toString().getBytes(StandardCharsets.UTF_8));
  }
}
