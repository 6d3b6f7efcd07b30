package org.longspan.parallelism.collective;

import java.nio.ByteBuffer;

/**
 * Rows of elements in a buffer, counted from its position: row r starts at element {@code start + r
 * · stride}.
 */
record Rows(ByteBuffer bytes, int start, int stride) {
  /** Where {@code region} lies in a whole state of {@code shape}. */
  static Rows in(ByteBuffer state, StateShape shape, Region region) {
    int width = shape.valueWidth();
    return new Rows(state, region.firstRow() * width + region.firstColumn(), width);
  }

  /** Rows one right behind the other, from the first element on. */
  static Rows packed(ByteBuffer bytes, int columns) {
    return new Rows(bytes, 0, columns);
  }

  Rows from(int row) {
    return new Rows(bytes, at(row), stride);
  }

  int at(int row) {
    return start + row * stride;
  }
}
