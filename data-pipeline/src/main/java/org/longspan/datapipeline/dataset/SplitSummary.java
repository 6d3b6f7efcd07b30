package org.longspan.datapipeline.dataset;

import java.util.List;

/**
 * What a split holds.
 *
 * @param sequences the number of sequences
 * @param tokens the number of tokens, marks of documents included
 * @param documents the number of documents
 * @param bytes the number of UTF-8 bytes of the documents' text, which bits per byte divide by
 * @param files the files by ascending sequences
 */
public record SplitSummary(
    long sequences, long tokens, long documents, long bytes, List<DatasetFile> files) {

  public SplitSummary {
    files = List.copyOf(files);
  }
}
