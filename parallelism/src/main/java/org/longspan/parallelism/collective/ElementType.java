package org.longspan.parallelism.collective;

import java.nio.ByteBuffer;

/** What the bytes of a buffer are: numbers in native byte order. */
public enum ElementType {
  FLOAT(Float.BYTES) {
    @Override
    Arithmetic arithmetic() {
      return new FloatArithmetic();
    }
  },
  DOUBLE(Double.BYTES) {
    @Override
    Arithmetic arithmetic() {
      return new DoubleArithmetic();
    }
  };

  private final int bytes;

  ElementType(int bytes) {
    this.bytes = bytes;
  }

  /** Bytes of one element. */
  public int bytes() {
    return bytes;
  }

  /** Adds the remaining elements of {@code addend} to those of {@code sum}; no position moves. */
  public void add(ByteBuffer sum, ByteBuffer addend) {
    arithmetic().add(sum, addend);
  }

  /** Loops over elements with scratch of their own; for one thread at a time. */
  abstract Arithmetic arithmetic();

  /** The elements in {@code length} bytes; throws where they do not divide. */
  int elements(int length) {
    if (length % bytes != 0) {
      throw new IllegalArgumentException(
          length + " bytes are no whole number of elements of " + bytes + " bytes");
    }
    return length / bytes;
  }
}
