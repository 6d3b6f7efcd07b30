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
    int tokens, int chunks, int heads, int keyWidth, int valueWidth, boolean hasGradients)
    implements LaunchRoom<DeltaRoom> {

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

  @Override
  public long largestBytes() {
    long ofTokens = Math.max(Math.max(keyWidth, valueWidth), 2L * DeltaKernel.CHUNK) * 2 * tokens;
    long ofChunks = (long) chunks * keyWidth * Math.max(keyWidth, valueWidth);
    return Math.max(ofTokens, ofChunks) * heads * Float.BYTES;
  }

  @Override
  public long bytes() {
    long sides = hasGradients ? 2 : 1;
    long ofToken =
        (2 + sides + (hasGradients ? 2 : 0)) * (long) keyWidth
            + (2 * sides + 1) * (long) valueWidth
            + 2 * sides * DeltaKernel.CHUNK
            + (hasGradients ? 11 : 4);
    long ofChunk = keyWidth * (keyWidth + sides * valueWidth);
    return (tokens * ofToken + (chunks + 2L) * ofChunk) * heads * Float.BYTES;
  }

  /**
   * About: forward three products with states, one of the transitions and those of pairs in a
   * chunk; five halves as many backward, which does the forward's again.
   */
  @Override
  public double operations() {
    double forward =
        6.0 * keyWidth * valueWidth
            + 2.0 * keyWidth * keyWidth
            + 4.0 * DeltaKernel.CHUNK * (keyWidth + valueWidth);
    return forward * tokens * heads * (hasGradients ? 3.5 : 1);
  }

  @Override
  public DeltaRoom withHeads(int count) {
    return new DeltaRoom(tokens, chunks, count, keyWidth, valueWidth, hasGradients);
  }

  @Override
  public DeltaRoom orAtLeast(DeltaRoom other) {
    return new DeltaRoom(
        Math.max(tokens, other.tokens),
        Math.max(chunks, other.chunks),
        heads,
        keyWidth,
        valueWidth,
        hasGradients);
  }
}
