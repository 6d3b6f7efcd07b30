package org.longspan.parallelism.collective;

/**
 * The shape of a recurrent state, {@code [heads · keyWidth, valueWidth]}, row-major: the heads one
 * below the other.
 */
public record StateShape(ElementType type, int heads, int keyWidth, int valueWidth) {
  public StateShape {
    if (heads < 0 || keyWidth < 0 || valueWidth < 0) {
      throw new IllegalArgumentException(
          "A state of " + heads + " heads of " + keyWidth + " x " + valueWidth);
    }
    Math.multiplyExact(
        Math.multiplyExact(Math.multiplyExact(heads, keyWidth), valueWidth), type.bytes());
  }

  /** Rows of all heads together. */
  public int rows() {
    return heads * keyWidth;
  }

  /** Elements of a state. */
  public int elements() {
    return rows() * valueWidth;
  }

  /** Bytes of a state. */
  public int bytes() {
    return elements() * type.bytes();
  }
}
