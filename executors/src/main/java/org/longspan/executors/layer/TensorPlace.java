package org.longspan.executors.layer;

/**
 * Which share of the model a rank has, among those that share its slice.
 *
 * @param index from 0
 * @param size how many there are
 */
public record TensorPlace(int index, int size) {
  /** That of a rank which has all of the model. */
  public static final TensorPlace ALONE = new TensorPlace(0, 1);

  public TensorPlace {
    if (index < 0 || index >= size) {
      throw new IllegalArgumentException("Place " + index + " of " + size);
    }
  }

  /** This rank's share of {@code whole} things: from ⌊index · whole / size⌋ on. */
  public Span share(int whole) {
    return new Span((int) ((long) index * whole / size), (int) ((index + 1L) * whole / size));
  }

  /** The most that a rank has of {@code whole} things. */
  public int largestShare(int whole) {
    return (whole + size - 1) / size;
  }
}
