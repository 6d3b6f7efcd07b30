package org.longspan.datapipeline.prepare;

import java.io.Serializable;

/** What some documents of one split amount to. */
final class SplitCount implements Serializable {
  private static final long serialVersionUID = 1L;

  private long documents;
  private long tokens;
  private long bytes;

  void add(long length, long size) {
    documents++;
    tokens += length;
    bytes += size;
  }

  void add(SplitCount other) {
    documents += other.documents;
    tokens += other.tokens;
    bytes += other.bytes;
  }

  long documents() {
    return documents;
  }

  long tokens() {
    return tokens;
  }

  /** UTF-8 bytes of text. */
  long bytes() {
    return bytes;
  }
}
