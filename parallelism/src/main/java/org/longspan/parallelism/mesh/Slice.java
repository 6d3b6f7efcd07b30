package org.longspan.parallelism.mesh;

/** The tokens {@code [start, end)} of a sequence that one rank holds; perhaps none. */
public record Slice(long start, long end) {
  public Slice {
    if (start < 0 || end < start) {
      throw new IllegalArgumentException("A slice from " + start + " to " + end);
    }
  }

  public long length() {
    return end - start;
  }
}
