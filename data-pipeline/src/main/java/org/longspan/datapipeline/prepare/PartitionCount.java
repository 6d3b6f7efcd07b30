package org.longspan.datapipeline.prepare;

import java.io.Serializable;
import org.longspan.datapipeline.dataset.SkippedInput;
import org.longspan.datapipeline.dataset.Split;

/** What one partition of the ordered documents holds, or several together. */
final class PartitionCount implements Serializable {
  private static final long serialVersionUID = 1L;

  private final SplitCount train = new SplitCount();
  private final SplitCount validation = new SplitCount();
  private long notText;
  private long empty;
  private long tooLarge;
  private long smallestHash = Long.MAX_VALUE;
  private long largestHash = Long.MIN_VALUE;

  void add(Split split, long hash, long length, long size) {
    of(split).add(length, size);
    smallestHash = Math.min(smallestHash, hash);
    largestHash = Math.max(largestHash, hash);
  }

  void skip(Outcome outcome) {
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

  long smallestHash() {
    return smallestHash;
  }

  long largestHash() {
    return largestHash;
  }
}
