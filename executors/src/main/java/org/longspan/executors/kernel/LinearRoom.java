package org.longspan.executors.kernel;

/**
 * How much a kernel's staging arrays hold.
 *
 * @param heads heads of one launch
 * @param keyWidth padded
 * @param valueWidth padded
 * @param gateWidth gates of a token and head that come with the tokens; 0 where none does
 * @param hasGradients whether there is room for the backward
 * @param storage of what comes with the tokens, but for gates
 */
record LinearRoom(
    int tokens,
    int chunks,
    int heads,
    int keyWidth,
    int valueWidth,
    int gateWidth,
    boolean hasGradients,
    Storage storage)
    implements LaunchRoom<LinearRoom> {

  /** With float storage. */
  LinearRoom(
      int tokens,
      int chunks,
      int heads,
      int keyWidth,
      int valueWidth,
      int gateWidth,
      boolean hasGradients) {
    this(tokens, chunks, heads, keyWidth, valueWidth, gateWidth, hasGradients, Storage.FLOAT);
  }

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

  @Override
  public long largestBytes() {
    long rows = 2L * tokens * Math.max(keyWidth, valueWidth) * storage.bytes();
    long gates = (long) tokens * gateWidth * Float.BYTES;
    long states = (chunks + 1L) * keyWidth * valueWidth * Float.BYTES;
    return Math.max(Math.max(rows, gates), states) * heads;
  }

  @Override
  public long bytes() {
    long rows = 3L * tokens * (keyWidth + valueWidth) * storage.bytes();
    long gates = 3L * tokens * Math.max(1, gateWidth) * Float.BYTES;
    long states = (chunks + 1L) * keyWidth * valueWidth * Float.BYTES;
    return (rows + gates + states) * heads * (hasGradients ? 2 : 1);
  }

  /**
   * Floating-point operations of a launch, about: five halves as many backward as forward, where
   * the forward has two products with states and two of pairs in a chunk.
   */
  @Override
  public double operations() {
    double forward =
        4.0 * keyWidth * valueWidth + 2.0 * LinearKernel.CHUNK * (keyWidth + valueWidth);
    return forward * tokens * heads * (hasGradients ? 3.5 : 1);
  }

  @Override
  public LinearRoom withHeads(int count) {
    return new LinearRoom(
        tokens, chunks, count, keyWidth, valueWidth, gateWidth, hasGradients, storage);
  }

  @Override
  public LinearRoom orAtLeast(LinearRoom other) {
    return new LinearRoom(
        Math.max(tokens, other.tokens),
        Math.max(chunks, other.chunks),
        heads,
        keyWidth,
        valueWidth,
        gateWidth,
        hasGradients,
        storage);
  }
}
