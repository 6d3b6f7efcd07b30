package org.longspan.executors.kernel;

/**
 * How much the staging arrays of a kernel of linear attention hold, which takes some of the heads
 * at once.
 *
 * @param <R> the kernel's own
 */
interface LaunchRoom<R extends LaunchRoom<R>> {
  int tokens();

  int chunks();

  /** Heads of one launch. */
  int heads();

  /** Bytes of the largest array. */
  long largestBytes();

  /** Bytes of all arrays, about. */
  long bytes();

  /** Floating-point operations of a launch, about. */
  double operations();

  /** The same for fewer or more heads. */
  R withHeads(int count);

  /** Room for this and for {@code other}, with this one's heads. */
  R orAtLeast(R other);

  /** Whether what needs {@code other} finds room here. */
  default boolean holds(R other) {
    return tokens() >= other.tokens() && chunks() >= other.chunks() && heads() >= other.heads();
  }
}
