package org.longspan.executors.kernel;

/**
 * How much a kernel's arrays hold, which takes some of the heads at once.
 *
 * @param heads heads of one launch
 * @param keyWidth padded
 * @param valueWidth padded
 * @param hasGradients whether there is room for the backward
 * @param storage of what comes with the tokens, but for gates and betas
 */
record LinearRoom(
    DeviceRule rule,
    LinearForm form,
    int tokens,
    int chunks,
    int heads,
    int keyWidth,
    int valueWidth,
    boolean hasGradients,
    Storage storage) {

  LinearPlan plan() {
    return rule.plan(form);
  }

  /** Gates of a token and head that come with the tokens; 0 where none does. */
  int gateWidth() {
    return rule.gateWidth(keyWidth);
  }

  int keyNumbers() {
    return Math.toIntExact((long) tokens * heads * keyWidth);
  }

  int valueNumbers() {
    return Math.toIntExact((long) tokens * heads * valueWidth);
  }

  int gateNumbers() {
    return Math.toIntExact((long) tokens * heads * gateWidth());
  }

  int betaNumbers() {
    return rule.replaces() ? Math.toIntExact((long) tokens * heads) : 0;
  }

  int logNumbers() {
    return Math.toIntExact((long) tokens * heads * Math.max(1, gateWidth()));
  }

  int factorNumbers() {
    return Math.toIntExact((long) chunks * heads * Math.max(1, gateWidth()));
  }

  int stateNumbers() {
    return Math.toIntExact((long) heads * keyWidth * valueWidth);
  }

  int transitionNumbers() {
    return rule.replaces() ? Math.toIntExact((long) heads * keyWidth * keyWidth) : 1;
  }

  /** Bytes of the largest array. */
  long largestBytes() {
    long rows = 2L * tokens * Math.max(keyWidth, valueWidth) * storage.bytes();
    long gates = (long) tokens * gateWidth() * Float.BYTES;
    return Math.max(Math.max(rows, gates) * heads, plan().largestScratch(this) * Float.BYTES);
  }

  /** Bytes of all arrays, about. */
  long bytes() {
    long sides = hasGradients ? 2 : 1;
    long keys = 2L * keyWidth * sides;
    long values = (sides + 1L) * valueWidth;
    long gates = sides * (gateWidth() + (rule.replaces() ? 1 : 0));
    long ofToken = (keys + values) * storage.bytes() + gates * Float.BYTES;
    long state = (long) keyWidth * (3L * valueWidth + (rule.replaces() ? keyWidth : 0));
    return (tokens * ofToken + state * Float.BYTES) * heads + plan().scratch(this) * Float.BYTES;
  }

  /** Floating-point operations of a launch, about. */
  double operations() {
    return plan().operations(this);
  }

  /** The same for fewer or more heads. */
  LinearRoom withHeads(int count) {
    return new LinearRoom(
        rule, form, tokens, chunks, count, keyWidth, valueWidth, hasGradients, storage);
  }

  /** Room for this and for {@code other}, with this one's heads. */
  LinearRoom orAtLeast(LinearRoom other) {
    return new LinearRoom(
        rule,
        form,
        Math.max(tokens, other.tokens),
        Math.max(chunks, other.chunks),
        heads,
        keyWidth,
        valueWidth,
        hasGradients,
        storage);
  }

  /** Whether what needs {@code other} finds room here. */
  boolean holds(LinearRoom other) {
    return tokens >= other.tokens && chunks >= other.chunks && heads >= other.heads;
  }
}
