package org.longspan.executors.kernel;

/**
 * How much the arrays of a {@link DeltaKernel} hold.
 *
 * @param heads heads of one launch
 * @param keyWidth padded
 * @param valueWidth padded
 * @param hasGradients whether there is room for the backward
 */
record DeltaRoom(
    int tokens, int chunks, int heads, int keyWidth, int valueWidth, boolean hasGradients) {

  int tokenNumbers() {
    return Math.toIntExact((long) tokens * heads);
  }

  int keyNumbers() {
    return Math.toIntExact((long) tokens * heads * keyWidth);
  }

  int valueNumbers() {
    return Math.toIntExact((long) tokens * heads * valueWidth);
  }

  int stateNumbers() {
    return Math.toIntExact((long) heads * keyWidth * valueWidth);
  }

  int transitionNumbers() {
    return Math.toIntExact((long) heads * keyWidth * keyWidth);
  }

  /** Bytes of the largest array. */
  long largestBytes() {
    long ofTokens = Math.max(Math.max(keyWidth, valueWidth), 2L * DeltaKernel.CHUNK) * 2 * tokens;
    long ofChunks = (long) chunks * keyWidth * Math.max(keyWidth, valueWidth);
    return Math.max(ofTokens, ofChunks) * heads * Float.BYTES;
  }

  /** Bytes of all arrays, about. */
  long bytes() {
    long sides = hasGradients ? 2 : 1;
    long ofToken =
        (2 + sides + (hasGradients ? 2 : 0)) * (long) keyWidth
            + (2 * sides + 1) * (long) valueWidth
            + 2 * sides * DeltaKernel.CHUNK
            + (hasGradients ? 11 : 4);
    long ofChunk = keyWidth * (keyWidth + sides * valueWidth);
    return (tokens * ofToken + (chunks + 2L) * ofChunk) * heads * Float.BYTES;
  }

  /** The same for fewer or more heads. */
  DeltaRoom withHeads(int count) {
    return new DeltaRoom(tokens, chunks, count, keyWidth, valueWidth, hasGradients);
  }

  /** Room for this and for {@code other}, with this one's heads. */
  DeltaRoom orAtLeast(DeltaRoom other) {
    return new DeltaRoom(
        Math.max(tokens, other.tokens),
        Math.max(chunks, other.chunks),
        heads,
        keyWidth,
        valueWidth,
        hasGradients);
  }

  /** Whether what needs {@code other} finds room here. */
  boolean holds(DeltaRoom other) {
    return tokens >= other.tokens && chunks >= other.chunks && heads >= other.heads;
  }
}
