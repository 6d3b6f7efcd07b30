package org.longspan.datapipeline.prepare;

import java.io.Serializable;
import java.util.ArrayList;
import java.util.List;
import org.longspan.datapipeline.dataset.SkippedInput;
import org.longspan.datapipeline.dataset.Split;

/** What one partition of the ordered documents holds, or several together. */
final class PartitionCount implements Serializable {
  private static final long serialVersionUID = 1L;

  /** Of what was skipped; a folder of pictures would fill screens. */
  private static final int MOST_NAMES = 5;

  private final SplitCount train = new SplitCount();
  private final SplitCount validation = new SplitCount();
  private long notText;
  private long empty;
  private long tooLarge;
  private final List<String> skippedNames = new ArrayList<>();
  private long smallestHash = Long.MAX_VALUE;
  private long largestHash = Long.MIN_VALUE;

  void add(Split split, long hash, long length, long size) {
    of(split).add(length, size);
    smallestHash = Math.min(smallestHash, hash);
    largestHash = Math.max(largestHash, hash);
  }

  /**
   * Counts what is no document.
   *
   * @param source its name; null where it has none
   */
  void skip(Outcome outcome, String source) {
    if (source != null && skippedNames.size() < MOST_NAMES) {
      skippedNames.add(source);
    }
    switch (outcome) {
      case NOT_TEXT -> notText++;
      case EMPTY -> empty++;
      case TOO_LARGE -> tooLarge++;
      case TEXT -> throw new IllegalArgumentException("A document is not skipped");
    }
  }

  void add(PartitionCount other) {
    train.add(other.train);
    validation.add(other.validation);
    notText += other.notText;
    empty += other.empty;
    tooLarge += other.tooLarge;
    other.skippedNames.stream().limit(MOST_NAMES - skippedNames.size()).forEach(skippedNames::add);
    smallestHash = Math.min(smallestHash, other.smallestHash);
    largestHash = Math.max(largestHash, other.largestHash);
  }

  SplitCount of(Split split) {
    return switch (split) {
      case TRAIN -> train;
      case VALIDATION -> validation;
    };
  }

  long documents() {
    return train.documents() + validation.documents();
  }

  SkippedInput skipped() {
    return new SkippedInput(notText, empty, tooLarge);
  }

  /** Of the first that were skipped, as far as they have names. */
  List<String> skippedNames() {
    return List.copyOf(skippedNames);
  }

  long smallestHash() {
    return smallestHash;
  }

  long largestHash() {
    return largestHash;
  }
}
