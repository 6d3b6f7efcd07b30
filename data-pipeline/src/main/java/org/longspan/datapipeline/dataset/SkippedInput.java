package org.longspan.datapipeline.dataset;

/**
 * Files, archive entries and rows that did not become documents.
 *
 * @param notText those that are not UTF-8 or contain NUL
 * @param empty those without a byte
 * @param tooLarge those over the size limit of a document
 */
public record SkippedInput(long notText, long empty, long tooLarge) {

  /** All of them. */
  public long total() {
    return notText + empty + tooLarge;
  }
}
