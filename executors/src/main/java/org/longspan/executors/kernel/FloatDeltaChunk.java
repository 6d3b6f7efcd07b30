package org.longspan.executors.kernel;

import java.util.Arrays;
import org.longspan.executors.memory.FloatMatrix;
import org.longspan.executors.vector.FloatDeltaTile;
import org.longspan.executors.vector.FloatNumber;
import org.longspan.executors.vector.FloatTile;
import org.longspan.executors.vector.FloatTileLoop;
import org.longspan.executors.vector.FloatTileProduct;

/**
 * One chunk of one head of the gated delta rule, and how a state passes it. With the decays b, D
 * and γ of {@link FloatDeltaDecay} and {@code L} the part of {@code −D ⊙ K Kᵀ} below the diagonal,
 *
 * <pre>
 *   R = V − (b ⊙ K) S + L W      W = β ⊙ R      S' = γ S + (γ/b ⊙ K)ᵀ W
 * </pre>
 *
 * where row r of {@code R}, what the state lacks of the value at token r's key, depends on the rows
 * of {@code W} before: a triangular system, solved row after row (the WY form of arXiv 2412.06464).
 * The columns of V, R, W and S are independent; any number of them may be worked on.
 *
 * <p>Threading: one thread at a time.
 */
final class FloatDeltaChunk {
  private final int keyWidth;
  private final FloatDeltaDecay decay;
  private final float[] beta;
  private final FloatTile keys;
  private final FloatTile keysAcross;
  private final FloatTile weighedKeys;
  private final FloatTile correlations;
  private final FloatTile residuals;
  private final FloatTile writes;
  private int length;

  /**
   * @param chunk most tokens
   * @param columns most columns of a state
   */
  FloatDeltaChunk(int keyWidth, int chunk, int columns) {
    this.keyWidth = keyWidth;
    this.decay = new FloatDeltaDecay(chunk);
    this.beta = new float[FloatTile.padded(chunk)];
    this.keys = new FloatTile(chunk, keyWidth);
    this.keysAcross = new FloatTile(keyWidth, chunk);
    this.weighedKeys = new FloatTile(chunk, keyWidth);
    this.correlations = new FloatTile(chunk, chunk);
    this.residuals = new FloatTile(chunk, columns);
    this.writes = new FloatTile(chunk, columns);
  }

  /** Takes the keys, gates and betas of {@code length} tokens from {@code start} on. */
  void load(LinearTensors inputs, int head, int start, int length) {
    this.length = length;
    FloatMatrix betas = (FloatMatrix) inputs.beta();
    Arrays.fill(beta, 0f);
    for (int r = 0; r < length; r++) {
      beta[r] = FloatNumber.of(betas.get(start + r, head));
    }
    decay.load((FloatMatrix) inputs.gates(), head, start, length);
    FloatTileTransfer.load(
        (FloatMatrix) inputs.k(), start, length, head * keyWidth, keyWidth, keys);
    FloatTileLoop.transpose(keys, length, keyWidth, keysAcross);
    FloatTileProduct.intoTriangle(keys, keysAcross, correlations, length, keyWidth);
    FloatDeltaTile.weighBelowDiagonal(correlations, decay.pairs(), -1f, length);
  }

  /** {@code out = D ⊙ Q Kᵀ}, triangular. */
  void score(FloatTile queries, FloatTile out) {
    FloatTileProduct.intoTriangle(queries, keysAcross, out, length, keyWidth);
    FloatDeltaTile.weighTriangle(out, decay.pairs(), 1f, length);
  }

  /**
   * Solves for R; {@link #residuals()} holds V.
   *
   * @param state {@code [keyWidth, columns]}
   * @param isReached whether the state counts
   */
  void solve(FloatTile state, boolean isReached, int columns) {
    if (isReached) {
      subtractRead(state, 1f, columns);
    }
    FloatDeltaTile.solve(correlations, beta, residuals, writes, length, columns);
  }

  /** Solves for R from a state, V being zero. */
  void solveWithoutValues(FloatTile state, int columns) {
    subtractRead(state, 0f, columns);
    FloatDeltaTile.solve(correlations, beta, residuals, writes, length, columns);
  }

  /** {@code R = keep · R − (b ⊙ K) S}. */
  private void subtractRead(FloatTile state, float keep, int columns) {
    FloatTileLoop.scaleRows(keys, decay.negatedRise(), 0, length, keyWidth, weighedKeys);
    FloatTileProduct.multiply(weighedKeys, state, keep, residuals, length, keyWidth, columns);
  }

  /**
   * Takes a state past the solved chunk.
   *
   * @param isReached whether the state before the chunk counts
   */
  void advance(FloatTile state, boolean isReached, int columns) {
    weighFalling();
    FloatTileProduct.multiplyTransposed(
        weighedKeys, writes, isReached ? decay.whole() : 0f, state, keyWidth, length, columns);
  }

  /** {@code γ/b ⊙ K}, until the chunk's next use. */
  FloatTile weighFalling() {
    FloatTileLoop.scaleRows(keys, decay.fall(), 0, length, keyWidth, weighedKeys);
    return weighedKeys;
  }

  FloatDeltaDecay decay() {
    return decay;
  }

  int length() {
    return length;
  }

  /** {@code β}, 0 behind the last token. */
  float[] beta() {
    return beta;
  }

  FloatTile keys() {
    return keys;
  }

  /** {@code L}. */
  FloatTile correlations() {
    return correlations;
  }

  /** V before it is solved, R afterwards. */
  FloatTile residuals() {
    return residuals;
  }

  /** {@code W}. */
  FloatTile writes() {
    return writes;
  }
}
