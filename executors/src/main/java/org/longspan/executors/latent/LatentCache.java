package org.longspan.executors.latent;

import java.util.ArrayList;
import java.util.List;
import org.longspan.executors.memory.Arena;
import org.longspan.executors.memory.Matrix;

/**
 * Rows of the tokens read so far, one after another. It grows by blocks of {@value #BLOCK_LENGTH}
 * tokens, and what is in it never moves.
 *
 * <p>Threading: one thread.
 */
final class LatentCache {
  static final int BLOCK_LENGTH = 256;

  private final Arena arena;
  private final int columns;
  private final List<Matrix> blocks = new ArrayList<>();
  private long length;

  LatentCache(Arena arena, int columns) {
    this.arena = arena;
    this.columns = columns;
  }

  /** Tokens in it. */
  long length() {
    return length;
  }

  /** The row {@code [1, columns]} of one more token, to be filled. */
  Matrix append() {
    int row = (int) (length % BLOCK_LENGTH);
    if (row == 0) {
      blocks.add(arena.matrix(BLOCK_LENGTH, columns));
    }
    length++;
    return blocks.get(blocks.size() - 1).rows(row, row + 1L);
  }

  /** How many blocks have tokens. */
  int blocks() {
    return blocks.size();
  }

  /** The tokens of block {@code number}, {@code [tokens, columns]}. */
  Matrix block(int number) {
    long first = (long) number * BLOCK_LENGTH;
    return blocks.get(number).rows(0, Math.min(BLOCK_LENGTH, length - first));
  }
}
