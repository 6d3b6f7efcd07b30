package org.longspan.executors.kernel;

/**
 * How much a kernel's staging arrays hold.
 *
 * @param heads heads of one launch
 * @param keyWidth padded
 * @param valueWidth padded
 * @param gateWidth gates of a token and head that come with the tokens; 0 where none does
 * @param hasGradients whether there is room for the backward
 */
record LinearRoom(
    int tokens,
    int chunks,
    int heads,
    int keyWidth,
    int valueWidth,
    int gateWidth,
    boolean hasGradients) {

  int keyNumbers() {
    return Math.toIntExact((long) tokens * heads * keyWidth);
  }

  int valueNumbers() {
    return Math.toIntExact((long) tokens * heads * valueWidth);
  }

  int gateNumbers() {
    return Math.toIntExact((long) tokens * heads * gateWidth);
  }

  int logNumbers() {
    return Math.toIntExact((long) tokens * heads * Math.max(1, gateWidth));
  }

  int factorNumbers() {
    return Math.toIntExact((long) chunks * heads * Math.max(1, gateWidth));
  }

  int stateNumbers() {
    return Math.toIntExact((long) heads * keyWidth * valueWidth);
  }

  /** Bytes of the largest array. */
  long largestBytes() {
    long perHead =
        Math.max(
            Math.max((long) tokens * keyWidth * 2, (long) tokens * valueWidth * 2),
            (chunks + 1L) * keyWidth * valueWidth);
    return perHead * heads * Float.BYTES;
  }

  /** Bytes of all arrays, about. */
  long bytes() {
    long rows = (long) tokens * (3L * keyWidth + 3L * valueWidth + 3L * Math.max(1, gateWidth));
    long states = (chunks + 1L) * keyWidth * valueWidth;
    return (rows + states) * heads * Float.BYTES * (hasGradients ? 2 : 1);
  }

  /** The same for fewer or more heads. */
  LinearRoom withHeads(int count) {
    return new LinearRoom(tokens, chunks, count, keyWidth, valueWidth, gateWidth, hasGradients);
  }

  /** Room for this and for {@code other}, with this one's heads. */
  LinearRoom orAtLeast(LinearRoom other) {
    return new LinearRoom(
        Math.max(tokens, other.tokens),
        Math.max(chunks, other.chunks),
        heads,
        keyWidth,
        valueWidth,
        gateWidth,
        hasGradients);
  }

  /** Whether what needs {@code other} finds room here. */
  boolean holds(LinearRoom other) {
    return tokens >= other.tokens && chunks >= other.chunks && heads >= other.heads;
  }
}
