package org.longspan.executors.layer;

/** The whole numbers from {@code from} up to, not including, {@code to}. */
public record Span(int from, int to) {
  public Span {
    if (from < 0 || to < from) {
      throw new IllegalArgumentException("A span from " + from + " to " + to);
    }
  }

  public int length() {
    return to - from;
  }

  /** The same one {@code distance} further on. */
  public Span shifted(int distance) {
    return new Span(from + distance, to + distance);
  }

  /** Of things of {@code size} numbers each, the numbers of those in this span. */
  public Span times(int size) {
    return new Span(from * size, to * size);
  }
}
