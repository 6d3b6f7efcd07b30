package org.longspan.executors.kernel;

/**
 * Staging arrays and scratch of the gated delta rule on a device, for some heads of a slice, and
 * the stages that it is computed in, one a pass.
 *
 * <p>With the decays b, D and γ of {@link FloatDeltaDecay} and {@code L} the part of {@code −D ⊙ K
 * Kᵀ} below the diagonal, the chunk's triangular system has the inverse {@code I + X β}, where
 * {@code X = L + L β X} is below the diagonal too. Then, for each chunk by itself,
 *
 * <pre>
 *   U = (I + X β) V          Y = (I + X β) (b ⊙ K)       M = γ I − (γ/b ⊙ K)ᵀ (β ⊙ Y)
 *   Z = (I + Xᵀ β) (γ/b ⊙ K)     G₀ = (I + Xᵀ β) (D ⊙ Q Kᵀ)ᵀ dO
 *   N = (γ/b ⊙ K)ᵀ (β ⊙ U)       dN = (b ⊙ Q)ᵀ dO − (b ⊙ K)ᵀ (β ⊙ G₀)
 * </pre>
 *
 * so that states pass chunks by one product, {@code S' = M S + N} and {@code dS = Mᵀ dS' + dN}, and
 * {@code R = U − Y S}, {@code G = G₀ + Z dS'} are those of {@link FloatDeltaChunk} and {@link
 * FloatDeltaStateGradient} (the WY form of arXiv 2412.06464).
 *
 * <p>Layouts beside those of {@link LinearKernel}: {@code solvedKeys} Y and then Z, as queries and
 * keys, and what {@link #KEY_READS} gives in the place of Y; {@code solvedValues} U or R and then
 * what {@link #SCORED_GRADIENTS} gives, G₀ or G, as values and the outputs' gradients. {@code
 * pairs} is four times {@code [tokens, heads, CHUNK]}, a row for each token and in it the tokens of
 * its chunk: L below the diagonal and Xᵀ above it; {@code D ⊙ Q Kᵀ}; {@code D ⊙ dO Wᵀ}; {@code −D ⊙
 * H Wᵀ} and its mirror image. {@code states} {@code [chunks, heads, keyWidth, valueWidth]} is N and
 * then the state before each chunk, {@code stateGradients} dN and then the gradient of the state
 * after each chunk, {@code chunkTransitions} {@code [chunks, heads, keyWidth, keyWidth]} M; {@code
 * gateRows} is five times {@code [tokens, heads]}, what {@link #GATE_GRADIENTS} sums.
 */
abstract class DeltaKernel extends LinearKernel {
  /** Tokens of a chunk at most, the rows of a tile. */
  static final int CHUNK = 64;

  /** Work-items of a group. */
  static final int GROUP = 128;

  /** Numbers that a work-group takes at once of what it sums over. */
  static final int SLICE = 16;

  /** Rows of a state at most. */
  static final int MOST_ROWS = 256;

  /** Columns of a state that a work-group takes through the chunks. */
  static final int STATE_COLUMNS = 16;

  /** Sums the logs of the gates within each chunk. */
  static final int SUM_LOGS = 0;

  /** L and X. */
  static final int CORRELATE = 1;

  /** U. */
  static final int SOLVE_VALUES = 2;

  /** Y. */
  static final int SOLVE_KEYS = 3;

  /** M. */
  static final int TRANSITIONS = 4;

  /** N. */
  static final int SUMMARIZE = 5;

  /** The state before each chunk. */
  static final int SCAN = 6;

  /** The transition over all chunks. */
  static final int SCAN_TRANSITION = 7;

  /** R. */
  static final int RESIDUALS = 8;

  /** {@code D ⊙ Q Kᵀ}. */
  static final int SCORES = 9;

  /** Outputs. */
  static final int OUTPUTS = 10;

  /** {@code (D ⊙ Q Kᵀ)ᵀ dO}. */
  static final int SCORED_GRADIENTS = 11;

  /** G₀. */
  static final int SOLVE_GRADIENTS = 12;

  /** dN. */
  static final int SUMMARIZE_GRADIENT = 13;

  /** Z. */
  static final int SOLVE_KEYS_BACK = 14;

  /** The gradient of the state after each chunk. */
  static final int SCAN_GRADIENT = 15;

  /** G; the gradients of values and betas. */
  static final int VALUE_GRADIENTS = 16;

  /** {@code D ⊙ dO Wᵀ}. */
  static final int SCORE_GRADIENTS = 17;

  /** {@code −D ⊙ H Wᵀ} and its mirror image. */
  static final int CORRELATION_GRADIENTS = 18;

  /** Gradients of queries. */
  static final int QUERY_GRADIENTS = 19;

  /** What reading the states before the chunks gives to the gradients of keys. */
  static final int KEY_READS = 20;

  /** Gradients of keys. */
  static final int KEY_GRADIENTS = 21;

  /** Gradients of gates. */
  static final int GATE_GRADIENTS = 22;

  /** Added to a stage that leaves out what does not come from outside the slice. */
  static final int OUTSIDE = 32;

  /** In {@code gateRows}: what a token's query reads of the state before its chunk. */
  static final int QUERY_READS_ROW = 0;

  /** In {@code gateRows}: what its key reads of that. */
  static final int KEY_READS_ROW = 1;

  /** In {@code gateRows}: what is kept of it in the state after its chunk. */
  static final int KEPT_ROW = 2;

  /** In {@code gateRows}: what crosses its gate from keys to queries. */
  static final int QUERY_CROSSINGS_ROW = 3;

  /** In {@code gateRows}: what crosses its gate from keys to keys. */
  static final int KEY_CROSSINGS_ROW = 4;

  final float[] states;
  final float[] stateGradients;
  final float[] chunkTransitions;
  final float[] solvedKeys;
  final float[] solvedValues;
  final float[] pairs;
  final float[] logs;
  final float[] logRests;
  final float[] gateRows;

  /** Where in {@code pairs} the second part starts. */
  int pairsFrom;

  DeltaKernel(LinearRoom room) {
    super(room);
    int sides = room.hasGradients() ? 2 : 1;
    this.states = new float[room.chunks() * room.stateNumbers()];
    this.stateGradients = new float[room.hasGradients() ? states.length : 1];
    this.chunkTransitions = new float[room.chunks() * room.transitionNumbers()];
    this.solvedKeys = new float[sides * room.keyNumbers()];
    this.solvedValues = new float[sides * room.valueNumbers()];
    this.pairs = new float[2 * sides * CHUNK * room.betaNumbers()];
    this.logs = new float[room.logNumbers()];
    this.logRests = new float[room.logNumbers()];
    this.gateRows = new float[room.hasGradients() ? 5 * room.logNumbers() : 1];
  }

  @Override
  final void use(int launchTokens, int launchChunks, int launchHeads) {
    super.use(launchTokens, launchChunks, launchHeads);
    pairsFrom = tokens * heads * CHUNK;
  }

  @Override
  final int groupSize() {
    return GROUP;
  }

  @Override
  final int groups() {
    int tiles = chunks * heads * ((keyWidth + CHUNK - 1) / CHUNK);
    int scans = heads * (Math.max(keyWidth, valueWidth) / STATE_COLUMNS);
    return Math.max(tiles, scans);
  }
}
