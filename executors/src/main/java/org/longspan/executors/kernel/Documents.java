package org.longspan.executors.kernel;

import java.util.Arrays;

/**
 * Where the documents of a slice lie. State, windows and convolutions stop at their boundaries.
 * Immutable.
 */
public final class Documents {
  private final int tokens;
  private final int[] starts;
  private final long before;

  /**
   * @param tokens tokens in the slice
   * @param starts ascending offsets in the slice, {@code [0, tokens)}, at which a document starts
   * @param before tokens of the first token's document that lie before the slice; 0 where the slice
   *     starts with a document
   */
  public Documents(int tokens, int[] starts, long before) {
    this.tokens = tokens;
    this.starts = starts.clone();
    this.before = before;
    for (int i = 0; i < starts.length; i++) {
      if (starts[i] < 0 || starts[i] >= tokens || (i > 0 && starts[i] <= starts[i - 1])) {
        throw new IllegalArgumentException(
            "Document starts " + Arrays.toString(starts) + " in a slice of " + tokens + " tokens");
      }
    }
    if (before < 0 || (before > 0 && starts.length > 0 && starts[0] == 0)) {
      throw new IllegalArgumentException(
          before + " tokens before a slice that starts with a document");
    }
  }

  /** One document that began before the slice, or at its start where {@code before} is 0. */
  public static Documents one(int tokens, long before) {
    return new Documents(tokens, before == 0 && tokens > 0 ? new int[] {0} : new int[0], before);
  }

  /** The documents of the tokens {@code [from, to)} alone. */
  public Documents piece(int from, int to) {
    if (from < 0 || to < from || to > tokens) {
      throw new IllegalArgumentException(
          "Tokens " + from + " to " + to + " of a slice of " + tokens);
    }
    int[] own =
        Arrays.stream(starts)
            .filter(start -> start >= from && start < to)
            .map(start -> start - from)
            .toArray();
    return new Documents(to - from, own, from == to ? 0 : from - startOf(from));
  }

  /** Tokens in the slice. */
  public int tokens() {
    return tokens;
  }

  /** Documents that start in the slice. */
  public int count() {
    return starts.length;
  }

  /** Where document {@code i} of those that start in the slice starts. */
  public int start(int i) {
    return starts[i];
  }

  /** Tokens of the first token's document that lie before the slice. */
  public long before() {
    return before;
  }

  /**
   * Offset of the first token of {@code token}'s document; negative where that lies before the
   * slice.
   */
  public long startOf(int token) {
    int place = Arrays.binarySearch(starts, token);
    int document = place >= 0 ? place : -place - 2;
    return document >= 0 ? starts[document] : -before;
  }

  /** Tokens at the slice's start that belong to a document begun before it. */
  public int continued() {
    if (before == 0) {
      return 0;
    }
    return starts.length == 0 ? tokens : starts[0];
  }

  /** Offset from which on tokens belong to the slice's last document; 0 where none starts here. */
  public int lastStart() {
    return starts.length == 0 ? 0 : starts[starts.length - 1];
  }

  /** Whether what comes from the left reaches the slice's end: no document starts here. */
  public boolean passesThrough() {
    return starts.length == 0 && (before > 0 || tokens == 0);
  }

  @Override
  public String toString() {
    return tokens
        + " tokens, documents from "
        + Arrays.toString(starts)
        + ", "
        + before
        + " before";
  }
}
