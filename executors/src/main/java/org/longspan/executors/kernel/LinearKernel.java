package org.longspan.executors.kernel;

/**
 * What every kernel of linear attention has: staging arrays for some heads of a slice, and a list
 * of stages, one a pass.
 *
 * <p>Layouts, rows padded to a multiple of {@link #PAD} columns, beside those of {@link
 * TokenKernel}: {@code gates} and {@code gateOutputs} {@code [tokens, heads, gateWidth]}, {@code
 * betas} and {@code betaOutputs} {@code [tokens, heads]}. {@code before} {@code [heads, keyWidth,
 * valueWidth]} is the state before the slice, {@code after} the gradient of the one after it;
 * {@code passed} is what a scan ends with, {@code transition} {@code [heads, keyWidth, keyWidth]}
 * what becomes of a state over the slice. {@code factors} {@code [chunks, heads]} or {@code
 * [chunks, heads, keyWidth]} are the decays over chunks: an input where they are constant, else
 * scratch.
 */
abstract class LinearKernel extends TokenKernel {
  /** Rows of tokens are padded to a multiple of this. */
  static final int PAD = 16;

  private static final int MOST_STAGES = 24;

  final int[] stages = new int[MOST_STAGES];
  final int[] starts;
  final int[] fresh;
  final float[] slopes;
  final float[] factors;
  final float[] gates;
  final float[] betas;
  final float[] gateOutputs;
  final float[] betaOutputs;
  final float[] before;
  final float[] after;
  final float[] passed;
  final float[] transition;
  int heads;
  int tokens;
  int chunks;
  int keyWidth;
  int valueWidth;

  /** Gates of a token and head; 0 where the decay is constant. */
  int gateWidth;

  /** Where in {@code keySide} the keys start, and what is alike. */
  int keysFrom;

  /** Where in {@code valueSide} the outputs' gradients start, and what is alike. */
  int gradientsFrom;

  LinearKernel(LinearRoom room) {
    super(room.storage(), room.keyNumbers(), room.valueNumbers(), room.hasGradients());
    this.starts = new int[room.chunks() + 1];
    this.fresh = new int[room.chunks() + 1];
    this.slopes = new float[room.heads()];
    this.factors = new float[room.factorNumbers()];
    this.gates = new float[Math.max(1, room.gateNumbers())];
    this.betas = new float[Math.max(1, room.betaNumbers())];
    this.gateOutputs = new float[room.hasGradients() ? gates.length : 1];
    this.betaOutputs = new float[room.hasGradients() ? betas.length : 1];
    this.before = new float[room.stateNumbers()];
    this.after = new float[room.hasGradients() ? room.stateNumbers() : 1];
    this.passed = new float[room.stateNumbers()];
    this.transition = new float[room.transitionNumbers()];
    this.keyWidth = room.keyWidth();
    this.valueWidth = room.valueWidth();
    this.gateWidth = room.gateWidth();
  }

  /** Sets how much of the arrays the next launch uses. */
  void use(int launchTokens, int launchChunks, int launchHeads) {
    tokens = launchTokens;
    chunks = launchChunks;
    heads = launchHeads;
    keysFrom = tokens * heads * keyWidth;
    gradientsFrom = tokens * heads * valueWidth;
  }

  /** Work-groups that the widest stage needs. */
  abstract int groups();

  /** Work-items of a group. */
  abstract int groupSize();
}
