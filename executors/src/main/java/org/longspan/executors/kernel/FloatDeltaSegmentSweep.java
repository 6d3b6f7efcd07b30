package org.longspan.executors.kernel;

import java.util.Arrays;
import org.longspan.executors.memory.FloatMatrix;
import org.longspan.executors.vector.FloatDeltaTile;
import org.longspan.executors.vector.FloatRow;
import org.longspan.executors.vector.FloatTile;
import org.longspan.executors.vector.FloatTileLoop;
import org.longspan.executors.vector.FloatTileProduct;

/**
 * One worker's gradients of the gated delta rule over a segment of chunks of one head: with the
 * tokens it computes the states again and keeps them, then against the tokens the gradients. With
 * what {@link FloatDeltaChunk} and {@link FloatDeltaStateGradient} name, {@code E = D ⊙ (dO Wᵀ)}
 * and {@code X} the part of {@code −D ⊙ (H Wᵀ)} below the diagonal,
 *
 * <pre>
 *   dQ = (b ⊙ dO) Sᵀ + E K                           dV = H        dβ_s = G_s · R_s
 *   dK = (γ/b ⊙ W) dS'ᵀ − (b ⊙ H) Sᵀ + (X + Xᵀ) K + Eᵀ Q
 * </pre>
 *
 * and the gates' as {@link FloatDeltaGateGradient} says. All is linear in dO and dS' together, so
 * that what dS' gives can be added later; where it comes from behind the slice alone, numbers too
 * small to be normal are 0, and what is 0 is not carried on.
 *
 * <p>Threading: one thread at a time.
 */
final class FloatDeltaSegmentSweep {
  private final AttentionShape shape;
  private final ChunkGrid grid;
  private final FloatDeltaChunk[] chunks;
  private final FloatTile[] states;
  private final FloatDeltaStateGradient state;
  private final FloatTile weighedWrites;
  private final FloatTile writesAcross;
  private final FloatTile stateAcross;
  private final FloatTile gradientAcross;
  private final FloatTile scoreGradients;
  private final FloatTile correlationGradients;
  private final FloatTile keyOut;
  private final FloatTile keySum;
  private final FloatTile valueSum;
  private final FloatDeltaGateGradient gates;
  private final double[] betaProducts;

  /**
   * @param grid planned before each sweep
   * @param length the grid's chunk length
   * @param segment most chunks of a segment
   */
  FloatDeltaSegmentSweep(AttentionShape shape, ChunkGrid grid, int length, int segment) {
    int keyWidth = shape.keyWidth();
    int valueWidth = shape.valueWidth();
    this.shape = shape;
    this.grid = grid;
    this.chunks = new FloatDeltaChunk[segment];
    this.states = new FloatTile[segment];
    for (int i = 0; i < segment; i++) {
      chunks[i] = new FloatDeltaChunk(keyWidth, length, valueWidth);
      states[i] = new FloatTile(keyWidth, valueWidth);
    }
    this.state = new FloatDeltaStateGradient(shape, length);
    this.weighedWrites = new FloatTile(length, valueWidth);
    this.writesAcross = new FloatTile(valueWidth, length);
    this.stateAcross = new FloatTile(valueWidth, keyWidth);
    this.gradientAcross = new FloatTile(valueWidth, keyWidth);
    this.scoreGradients = new FloatTile(length, length);
    this.correlationGradients = new FloatTile(length, length);
    this.keyOut = new FloatTile(length, keyWidth);
    this.keySum = new FloatTile(length, keyWidth);
    this.valueSum = new FloatTile(length, valueWidth);
    this.gates = new FloatDeltaGateGradient(length, keyWidth);
    this.betaProducts = new double[FloatTile.padded(length)];
  }

  /**
   * The next segment is the slice's last one.
   *
   * @param gradient of the state after the slice; null for zero
   */
  void start(FloatMatrix gradient, int head) {
    state.start(gradient, head);
  }

  /** The next segment has this gradient of the state after it. */
  void startFrom(FloatTile gradient) {
    state.gradient().set(gradient);
  }

  /**
   * The gradients of the chunks {@code [from, to)}, at most a segment; afterwards the gradient of
   * the state is that before them.
   *
   * @param before the state before the chunk {@code from}
   */
  void backward(
      int head,
      LinearTensors inputs,
      FloatMatrix outputGradient,
      FloatTile before,
      LinearTensors gradients,
      int from,
      int to) {
    recompute(head, inputs, before, from, to);
    for (int i = to - 1; i >= from; i--) {
      FloatDeltaChunk chunk = chunks[i - from];
      FloatTile reaching = grid.isFresh(i) ? null : states[i - from];
      boolean carries = grid.passesOn(i);
      gates.clear();
      if (carries) {
        takeState(chunk, reaching);
      }
      state.load(chunk, inputs, outputGradient, head, grid.start(i), 0, shape.valueWidth());
      state.takeOutputs(chunk, carries, shape.valueWidth());
      solve(chunk, reaching);
      queryGradient(chunk, reaching);
      storeKeys(keyOut, (FloatMatrix) gradients.q(), head, i);
      keyGradient(chunk, reaching, carries);
      FloatTileProduct.transposedTriangleTimes(
          scoreGradients, state.queries(), 1f, keyOut, chunk.length(), shape.keyWidth());
      storeKeys(keyOut, (FloatMatrix) gradients.k(), head, i);
      storeValues(state.valueGradients(), (FloatMatrix) gradients.v(), head, i);
      store(gates.sum(chunk.length()), (FloatMatrix) gradients.gates(), head, i);
      store(betaGradient(chunk), (FloatMatrix) gradients.beta(), head, i);
      if (reaching != null && i > 0) {
        state.retreat(chunk, carries, shape.valueWidth());
        state.retreatOutputs(chunk, shape.valueWidth());
      }
    }
  }

  /**
   * Adds to the gradients of the chunks {@code [from, to)}, of the slice's last document, what the
   * gradient of the state after the slice gives.
   *
   * @param before the state before the chunk {@code from}
   */
  void addIncomingGradient(
      int head, LinearTensors inputs, FloatTile before, LinearTensors gradients, int from, int to) {
    if (!state.flush()) {
      return;
    }
    recompute(head, inputs, before, from, to);
    boolean isLeft = true;
    for (int i = to - 1; i >= from && isLeft; i--) {
      FloatDeltaChunk chunk = chunks[i - from];
      FloatTile reaching = grid.isFresh(i) ? null : states[i - from];
      gates.clear();
      takeState(chunk, reaching);
      solve(chunk, reaching);
      gates.takePairs(chunk.correlations(), correlationGradients, chunk.length());
      keyGradient(chunk, reaching, true);
      addKeys((FloatMatrix) gradients.k(), head, i);
      addValues((FloatMatrix) gradients.v(), head, i);
      add(gates.sum(chunk.length()), (FloatMatrix) gradients.gates(), head, i);
      add(betaGradient(chunk), (FloatMatrix) gradients.beta(), head, i);
      if (reaching != null && i > 0) {
        state.retreat(chunk, true, shape.valueWidth());
        isLeft = state.flush();
      }
    }
  }

  private void recompute(int head, LinearTensors inputs, FloatTile before, int from, int to) {
    int columns = shape.valueWidth();
    states[0].set(before);
    for (int i = from; i < to; i++) {
      FloatDeltaChunk chunk = chunks[i - from];
      FloatTile reaching = states[i - from];
      boolean isReached = !grid.isFresh(i);
      chunk.load(inputs, head, grid.start(i), grid.length(i));
      loadValues((FloatMatrix) inputs.v(), head, i, chunk.residuals());
      chunk.solve(reaching, isReached, columns);
      if (i + 1 < to && grid.passesOn(i)) {
        states[i - from + 1].set(reaching);
        chunk.advance(states[i - from + 1], isReached, columns);
      }
    }
  }

  /** What the gradient of the state after the chunk gives to {@code G} and to the gates. */
  private void takeState(FloatDeltaChunk chunk, FloatTile reaching) {
    int valueWidth = shape.valueWidth();
    state.takeState(chunk, valueWidth);
    gates.addKept(chunk.writes(), state.solved(), chunk.length(), valueWidth);
    if (reaching != null) {
      gates.addThrough(
          chunk.decay().whole(), reaching, state.gradient(), shape.keyWidth(), valueWidth);
    }
  }

  /** {@code G}, {@code H} and {@code H Wᵀ}; and {@code Sᵀ}, {@code Wᵀ}. */
  private void solve(FloatDeltaChunk chunk, FloatTile reaching) {
    int length = chunk.length();
    int valueWidth = shape.valueWidth();
    state.solve(chunk, valueWidth);
    FloatTileLoop.transpose(chunk.writes(), length, valueWidth, writesAcross);
    FloatTileProduct.intoTriangle(
        state.valueGradients(), writesAcross, correlationGradients, length, valueWidth);
    if (reaching != null) {
      FloatTileLoop.transpose(reaching, shape.keyWidth(), valueWidth, stateAcross);
    }
  }

  /** {@code dQ} and {@code E}, and the pairs for the gates. */
  private void queryGradient(FloatDeltaChunk chunk, FloatTile reaching) {
    int length = chunk.length();
    int keyWidth = shape.keyWidth();
    int valueWidth = shape.valueWidth();
    FloatTileProduct.intoTriangle(
        state.outputGradients(), writesAcross, scoreGradients, length, valueWidth);
    gates.takePairs(state.scores(), scoreGradients, length);
    gates.addPairs(chunk.correlations(), correlationGradients, length);
    FloatDeltaTile.weighTriangle(scoreGradients, chunk.decay().pairs(), 1f, length);
    if (reaching != null) {
      FloatTileProduct.multiply(
          state.weighedOutputGradients(chunk, valueWidth),
          stateAcross,
          0f,
          keyOut,
          length,
          valueWidth,
          keyWidth);
      gates.addReads(state.queries(), keyOut, length, keyWidth);
    }
    FloatTileProduct.triangleTimes(
        scoreGradients, chunk.keys(), reaching == null ? 0f : 1f, keyOut, length, keyWidth);
  }

  /** {@code dK} without what comes from E. */
  private void keyGradient(FloatDeltaChunk chunk, FloatTile reaching, boolean carries) {
    int length = chunk.length();
    int keyWidth = shape.keyWidth();
    int valueWidth = shape.valueWidth();
    if (reaching != null) {
      FloatTileProduct.multiply(
          state.weighedValueGradients(chunk, valueWidth),
          stateAcross,
          0f,
          keyOut,
          length,
          valueWidth,
          keyWidth);
      gates.addReads(chunk.keys(), keyOut, length, keyWidth);
    }
    FloatDeltaTile.weighBelowDiagonal(correlationGradients, chunk.decay().pairs(), -1f, length);
    FloatTileProduct.triangleTimes(
        correlationGradients, chunk.keys(), reaching == null ? 0f : 1f, keyOut, length, keyWidth);
    FloatTileProduct.transposedTriangleTimes(
        correlationGradients, chunk.keys(), 1f, keyOut, length, keyWidth);
    if (carries) {
      FloatTileLoop.transpose(state.gradient(), keyWidth, valueWidth, gradientAcross);
      FloatTileLoop.scaleRows(
          chunk.writes(), chunk.decay().fall(), 0, length, valueWidth, weighedWrites);
      FloatTileProduct.multiply(
          weighedWrites, gradientAcross, 1f, keyOut, length, valueWidth, keyWidth);
    }
  }

  private double[] betaGradient(FloatDeltaChunk chunk) {
    Arrays.fill(betaProducts, 0);
    FloatDeltaTile.addRowProducts(
        state.solved(), chunk.residuals(), betaProducts, chunk.length(), shape.valueWidth());
    return betaProducts;
  }

  private void store(double[] numbers, FloatMatrix to, int head, int i) {
    for (int r = 0; r < grid.length(i); r++) {
      to.put(grid.start(i) + r, head, numbers[r]);
    }
  }

  private void add(double[] numbers, FloatMatrix to, int head, int i) {
    for (int r = 0; r < grid.length(i); r++) {
      int row = grid.start(i) + r;
      to.put(row, head, to.get(row, head) + numbers[r]);
    }
  }

  private void addKeys(FloatMatrix to, int head, int i) {
    int width = shape.keyWidth();
    FloatTileTransfer.load(to, grid.start(i), grid.length(i), head * width, width, keySum);
    add(keyOut, grid.length(i), width, keySum);
    storeKeys(keySum, to, head, i);
  }

  private void addValues(FloatMatrix to, int head, int i) {
    loadValues(to, head, i, valueSum);
    add(state.valueGradients(), grid.length(i), shape.valueWidth(), valueSum);
    storeValues(valueSum, to, head, i);
  }

  private static void add(FloatTile from, int rows, int columns, FloatTile to) {
    for (int row = 0; row < rows; row++) {
      FloatRow.addScaled(
          1f, from.numbers(), row * from.stride(), to.numbers(), row * to.stride(), columns);
    }
  }

  private void loadValues(FloatMatrix from, int head, int i, FloatTile tile) {
    int width = shape.valueWidth();
    FloatTileTransfer.load(from, grid.start(i), grid.length(i), head * width, width, tile);
  }

  private void storeKeys(FloatTile tile, FloatMatrix to, int head, int i) {
    int width = shape.keyWidth();
    FloatTileTransfer.store(tile, to, grid.start(i), grid.length(i), head * width, width);
  }

  private void storeValues(FloatTile tile, FloatMatrix to, int head, int i) {
    int width = shape.valueWidth();
    FloatTileTransfer.store(tile, to, grid.start(i), grid.length(i), head * width, width);
  }
}
