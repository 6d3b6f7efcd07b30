package org.longspan.executors.kernel;

/**
 * Which keys each query sees, and which queries see each key. Queries and keys lie in order: what a
 * query sees begins and ends no earlier than what the one before it sees.
 *
 * <p>Threading: immutable once made.
 */
public final class SoftmaxRanges {
  /** The first key that a row sees, and one past the last. */
  private final int[] lowest;

  private final int[] ends;

  /** The first row that sees a key, and one past the last. */
  private final int[] firsts;

  private final int[] highest;

  /**
   * @param lowest the first key that each query sees
   * @param ends one past the last key that each query sees; above {@code lowest}
   * @param keys how many keys there are
   */
  public SoftmaxRanges(int[] lowest, int[] ends, int keys) {
    if (lowest.length != ends.length) {
      throw new IllegalArgumentException(
          lowest.length + " first keys and " + ends.length + " ends");
    }
    this.lowest = lowest.clone();
    this.ends = ends.clone();
    for (int row = 0; row < lowest.length; row++) {
      boolean isInOrder =
          row == 0 || (lowest[row - 1] <= lowest[row] && ends[row - 1] <= ends[row]);
      if (!isInOrder || lowest[row] < 0 || lowest[row] >= ends[row] || ends[row] > keys) {
        throw new IllegalArgumentException(
            "Query "
                + row
                + " sees the keys from "
                + lowest[row]
                + " to "
                + ends[row]
                + " of "
                + keys
                + ": each sees some, and none before what the query before it sees");
      }
    }
    this.firsts = firstRowsAbove(this.ends, keys);
    this.highest = firstRowsAbove(this.lowest, keys);
  }

  /** For each key the first row whose bound is above it; bounds never fall. */
  private static int[] firstRowsAbove(int[] bounds, int keys) {
    int[] rows = new int[keys];
    int row = 0;
    for (int key = 0; key < keys; key++) {
      while (row < bounds.length && bounds[row] <= key) {
        row++;
      }
      rows[key] = row;
    }
    return rows;
  }

  /**
   * Each token of a slice sees itself and what a window reaches of its document.
   *
   * @param halo rows of keys before the slice
   */
  static SoftmaxRanges ofWindow(Documents documents, int halo, int window) {
    int[] lowest = new int[documents.tokens()];
    int[] ends = new int[documents.tokens()];
    int document = 0;
    long start = -documents.before();
    for (int token = 0; token < lowest.length; token++) {
      if (document < documents.count() && documents.start(document) == token) {
        start = token;
        document++;
      }
      lowest[token] = (int) Math.max(Math.max(token + 1L - window, start), -halo) + halo;
      ends[token] = token + halo + 1;
    }
    return new SoftmaxRanges(lowest, ends, halo + documents.tokens());
  }

  int rows() {
    return lowest.length;
  }

  int columns() {
    return firsts.length;
  }

  /** The first key that a row sees. */
  int lowest(int row) {
    return lowest[row];
  }

  /** One past the last key that a row sees. */
  int end(int row) {
    return ends[row];
  }

  /** The first row that sees a key. */
  int first(int key) {
    return firsts[key];
  }

  /** One past the last row that sees a key. */
  int highest(int key) {
    return highest[key];
  }

  /** Pairs of a query in {@code [first, last)} and a key that it sees. */
  long pairs(int first, int last) {
    long pairs = 0;
    for (int row = first; row < last; row++) {
      pairs += ends[row] - lowest[row];
    }
    return pairs;
  }
}
