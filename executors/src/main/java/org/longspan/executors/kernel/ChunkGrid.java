package org.longspan.executors.kernel;

import java.util.Arrays;

/**
 * The chunks that a slice is worked through in: their edges lie on multiples of the chunk length
 * from the slice's start and at each document's start, so that a chunk belongs to one document. It
 * is planned anew for each call, in the same arrays.
 *
 * <p>Threading: planned by one thread, then read by any.
 */
final class ChunkGrid {
  private final int length;
  private int[] starts = new int[1];
  private boolean[] fresh = new boolean[0];
  private int count;

  /**
   * @param length tokens in a chunk that no document cuts
   */
  ChunkGrid(int length) {
    if (length < 1) {
      throw new IllegalArgumentException("A chunk needs a token, not " + length);
    }
    this.length = length;
  }

  /** Lays the chunks over a slice. */
  void plan(Documents documents) {
    int tokens = documents.tokens();
    int most = tokens / length + 1 + documents.count();
    if (fresh.length < most) {
      starts = new int[most + 1];
      fresh = new boolean[most];
    }
    count = 0;
    int document = 0;
    int token = 0;
    while (token < tokens) {
      boolean isStart = document < documents.count() && documents.start(document) == token;
      if (isStart) {
        document++;
      }
      int nextStart = document < documents.count() ? documents.start(document) : tokens;
      int nextEdge = (int) Math.min(tokens, (token / length + 1L) * length);
      starts[count] = token;
      fresh[count] = isStart;
      count++;
      token = Math.min(nextStart, nextEdge);
    }
    starts[count] = tokens;
  }

  int count() {
    return count;
  }

  int start(int chunk) {
    return starts[chunk];
  }

  int end(int chunk) {
    return starts[chunk + 1];
  }

  int length(int chunk) {
    return starts[chunk + 1] - starts[chunk];
  }

  /** Whether a document starts with the chunk, so that no state reaches into it. */
  boolean isFresh(int chunk) {
    return fresh[chunk];
  }

  /** Whether the state after the chunk reaches the next one: there is one, of the same document. */
  boolean passesOn(int chunk) {
    return chunk + 1 < count && !fresh[chunk + 1];
  }

  /** How many chunks lie before {@code token}, which is a chunk's edge. */
  int before(int token) {
    int place = Arrays.binarySearch(starts, 0, count + 1, token);
    if (place < 0) {
      throw new IllegalArgumentException("Token " + token + " is no chunk's edge");
    }
    return place;
  }
}
