package org.longspan.executors.kernel;

/**
 * How much the arrays of a {@link DeltaKernel} hold.
 *
 * @param heads heads of one launch
 * @param keyWidth padded
 * @param valueWidth padded
 * @param hasGradients whether there is room for the backward
 * @param storage of what comes with the tokens, but for gates and betas
 */
record DeltaRoom(
    int tokens,
    int chunks,
    int heads,
    int keyWidth,
    int valueWidth,
    boolean hasGradients,
    Storage storage)
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
    long ofInputs = 2L * keyWidth + sides * valueWidth;
    long ofOutputs = (hasGradients ? 2L : 0) * keyWidth + valueWidth;
    long ofScratch =
        sides * (keyWidth + valueWidth) + 2 * sides * DeltaKernel.CHUNK + (hasGradients ? 11 : 4);
    long ofToken = (ofInputs + ofOutputs) * storage.bytes() + ofScratch * Float.BYTES;
    long ofChunk = keyWidth * (keyWidth + sides * valueWidth);
    return (tokens * ofToken + (chunks + 2L) * ofChunk * Float.BYTES) * heads;
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
    return new DeltaRoom(tokens, chunks, count, keyWidth, valueWidth, hasGradients, storage);
  }

  @Override
  public DeltaRoom orAtLeast(DeltaRoom other) {
    return new DeltaRoom(
        Math.max(tokens, other.tokens),
        Math.max(chunks, other.chunks),
        heads,
        keyWidth,
        valueWidth,
        hasGradients,
        storage);
  }
}
