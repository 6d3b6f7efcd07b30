package org.longspan.executors.kernel;

import org.longspan.executors.memory.FloatMatrix;
import org.longspan.executors.vector.FloatDeltaTile;
import org.longspan.executors.vector.FloatTile;
import org.longspan.executors.vector.FloatTileLoop;
import org.longspan.executors.vector.FloatTileProduct;

/**
 * The gradient of a state of one head, and how it passes a chunk of the gated delta rule, against
 * the tokens. With what {@link FloatDeltaChunk} names, and {@code L} and β as there,
 *
 * <pre>
 *   G = (γ/b ⊙ K) dS' + (D ⊙ Q Kᵀ)ᵀ dO + Lᵀ H      H = β ⊙ G
 *   dS = γ dS' − (b ⊙ K)ᵀ H + (b ⊙ Q)ᵀ dO
 * </pre>
 *
 * row s of {@code G} depends on the rows of {@code H} behind it: the chunk's triangular system,
 * transposed. The columns of dO, G, H and dS are independent; any number of them may be worked on.
 *
 * <p>Threading: one thread at a time.
 */
final class FloatDeltaStateGradient {
  private final AttentionShape shape;
  private final FloatTile queries;
  private final FloatTile scores;
  private final FloatTile outputGradients;
  private final FloatTile solved;
  private final FloatTile valueGradients;
  private final FloatTile weighed;
  private final FloatTile gradient;

  /**
   * @param chunk most tokens of a chunk
   */
  FloatDeltaStateGradient(AttentionShape shape, int chunk) {
    int keyWidth = shape.keyWidth();
    int valueWidth = shape.valueWidth();
    this.shape = shape;
    this.queries = new FloatTile(chunk, keyWidth);
    this.scores = new FloatTile(chunk, chunk);
    this.outputGradients = new FloatTile(chunk, valueWidth);
    this.solved = new FloatTile(chunk, valueWidth);
    this.valueGradients = new FloatTile(chunk, valueWidth);
    this.weighed = new FloatTile(chunk, valueWidth);
    this.gradient = new FloatTile(keyWidth, valueWidth);
  }

  /**
   * Starts with the gradient of a state.
   *
   * @param from null for zero
   */
  void start(FloatMatrix from, int head) {
    if (from == null) {
      gradient.zero();
      return;
    }
    int rows = shape.keyWidth();
    FloatTileTransfer.load(from, (long) head * rows, rows, 0, shape.valueWidth(), gradient);
  }

  /** Takes the queries of a chunk and columns of the gradient of its outputs. */
  void load(
      FloatDeltaChunk chunk,
      LinearTensors inputs,
      FloatMatrix outputGradient,
      int head,
      int start,
      int from,
      int columns) {
    int length = chunk.length();
    int keyWidth = shape.keyWidth();
    FloatTileTransfer.load(
        (FloatMatrix) inputs.q(), start, length, head * keyWidth, keyWidth, queries);
    FloatTileTransfer.load(
        outputGradient, start, length, head * shape.valueWidth() + from, columns, outputGradients);
    chunk.score(queries, scores);
  }

  /** {@code G}, not solved yet, from the state after the chunk. */
  void takeState(FloatDeltaChunk chunk, int columns) {
    FloatTileProduct.multiply(
        chunk.weighFalling(), gradient, 0f, solved, chunk.length(), shape.keyWidth(), columns);
  }

  /**
   * {@code G}, not solved yet: adds the loaded outputs' part.
   *
   * @param carries whether {@link #takeState} went before, else G starts from zero
   */
  void takeOutputs(FloatDeltaChunk chunk, boolean carries, int columns) {
    FloatTileProduct.transposedTriangleTimes(
        scores, outputGradients, carries ? 1f : 0f, solved, chunk.length(), columns);
  }

  /** Solves for {@code G} and {@code H}. */
  void solve(FloatDeltaChunk chunk, int columns) {
    FloatDeltaTile.solveTransposed(
        chunk.correlations(), chunk.beta(), solved, valueGradients, chunk.length(), columns);
  }

  /**
   * {@code dS = γ dS' − (b ⊙ K)ᵀ H}.
   *
   * @param carries whether the gradient of the state after the chunk counts
   */
  void retreat(FloatDeltaChunk chunk, boolean carries, int columns) {
    FloatTileProduct.multiplyTransposed(
        chunk.keys(),
        weighedValueGradients(chunk, columns),
        carries ? chunk.decay().whole() : 0f,
        gradient,
        shape.keyWidth(),
        chunk.length(),
        columns);
  }

  /** {@code dS += (b ⊙ Q)ᵀ dO}. */
  void retreatOutputs(FloatDeltaChunk chunk, int columns) {
    FloatTileProduct.multiplyTransposed(
        queries,
        weighedOutputGradients(chunk, columns),
        1f,
        gradient,
        shape.keyWidth(),
        chunk.length(),
        columns);
  }

  /** {@code −b ⊙ H}. */
  FloatTile weighedValueGradients(FloatDeltaChunk chunk, int columns) {
    FloatTileLoop.scaleRows(
        valueGradients, chunk.decay().negatedRise(), 0, chunk.length(), columns, weighed);
    return weighed;
  }

  /** {@code b ⊙ dO}. */
  FloatTile weighedOutputGradients(FloatDeltaChunk chunk, int columns) {
    FloatTileLoop.scaleRows(
        outputGradients, chunk.decay().rise(), 0, chunk.length(), columns, weighed);
    return weighed;
  }

  /** Sets numbers too small to be normal to 0; returns whether one other than 0 is left. */
  boolean flush() {
    return FloatDeltaTile.flush(gradient, shape.keyWidth(), 0, shape.valueWidth());
  }

  FloatTile queries() {
    return queries;
  }

  /** {@code D ⊙ Q Kᵀ} of the loaded chunk. */
  FloatTile scores() {
    return scores;
  }

  FloatTile outputGradients() {
    return outputGradients;
  }

  /** {@code G}. */
  FloatTile solved() {
    return solved;
  }

  /** {@code H}, once solved: the gradient of the values. */
  FloatTile valueGradients() {
    return valueGradients;
  }

  /** {@code dS}, {@code [keyWidth, columns]}. */
  FloatTile gradient() {
    return gradient;
  }
}
