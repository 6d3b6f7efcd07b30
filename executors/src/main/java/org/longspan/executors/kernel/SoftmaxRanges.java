package org.longspan.executors.kernel;

/**
 * Which keys each query of a slice sees, and which queries see each key.
 *
 * <p>Threading: immutable once made.
 */
final class SoftmaxRanges {
  private final int halo;
  private final int[] lowest;
  private final int[] highest;

  /**
   * @param halo rows of keys before the slice
   */
  SoftmaxRanges(Documents documents, int halo, int window) {
    this.halo = halo;
    this.lowest = new int[documents.tokens()];
    this.highest = new int[halo + documents.tokens()];
    int document = 0;
    long start = -documents.before();
    for (int token = 0; token < lowest.length; token++) {
      if (document < documents.count() && documents.start(document) == token) {
        start = token;
        document++;
      }
      lowest[token] = (int) Math.max(Math.max(token + 1L - window, start), -halo) + halo;
    }
    int row = 0;
    for (int key = 0; key < highest.length; key++) {
      while (row < lowest.length && lowest[row] <= key) {
        row++;
      }
      highest[key] = row;
    }
  }

  int halo() {
    return halo;
  }

  int rows() {
    return lowest.length;
  }

  int columns() {
    return highest.length;
  }

  /** The first key that a row sees. */
  int lowest(int row) {
    return lowest[row];
  }

  /** One past the last row that sees a key; never falls. */
  int highest(int key) {
    return highest[key];
  }

  /** Pairs of a query in {@code [first, last)} and a key that it sees. */
  long pairs(int first, int last) {
    long pairs = 0;
    for (int row = first; row < last; row++) {
      pairs += row + halo + 1L - lowest[row];
    }
    return pairs;
  }
}
