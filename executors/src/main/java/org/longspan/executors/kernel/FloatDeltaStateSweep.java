package org.longspan.executors.kernel;

import org.longspan.executors.memory.FloatMatrix;
import org.longspan.executors.vector.FloatDeltaTile;
import org.longspan.executors.vector.FloatTile;
import org.longspan.executors.vector.FloatTileLoop;
import org.longspan.executors.vector.FloatTileProduct;

/**
 * One worker's sweeps of the gated delta rule with the tokens, which carry a state of one head from
 * chunk to chunk. A chunk's outputs are {@code O = (b ⊙ Q) S + (D ⊙ Q Kᵀ) W}; see {@link
 * FloatDeltaChunk}. The columns of a state are independent, so that a sweep may do some of them.
 * Where a state comes from before the slice alone, numbers too small to be normal are 0, and what
 * is 0 is not carried on.
 *
 * <p>Threading: one thread at a time.
 */
final class FloatDeltaStateSweep {
  private final AttentionShape shape;
  private final ChunkGrid grid;
  private final FloatDeltaChunk chunk;
  private final FloatTile state;
  private final FloatTile queries;
  private final FloatTile weighedQueries;
  private final FloatTile scores;
  private final FloatTile outputs;

  /**
   * @param grid planned before each sweep
   * @param length the grid's chunk length
   */
  FloatDeltaStateSweep(AttentionShape shape, ChunkGrid grid, int length) {
    int keyWidth = shape.keyWidth();
    int columns = Math.addExact(shape.valueWidth(), keyWidth);
    this.shape = shape;
    this.grid = grid;
    this.chunk = new FloatDeltaChunk(keyWidth, length, columns);
    this.state = new FloatTile(keyWidth, columns);
    this.queries = new FloatTile(length, keyWidth);
    this.weighedQueries = new FloatTile(length, keyWidth);
    this.scores = new FloatTile(length, length);
    this.outputs = new FloatTile(length, shape.valueWidth());
  }

  /**
   * The columns {@code [from, to)} of the state after the slice from zero, and right of them of the
   * transition: that is the state after it from the unit matrix, without values.
   *
   * @param to at most the value width where a document starts in the slice
   */
  void summarize(
      int head,
      LinearTensors inputs,
      Documents documents,
      FloatMatrix summary,
      FloatMatrix transition,
      int from,
      int to) {
    int valueWidth = shape.valueWidth();
    int width = to - from;
    int values = Math.max(0, Math.min(to, valueWidth) - from);
    state.zero();
    for (int column = values; column < width; column++) {
      int row = from + column - valueWidth;
      state.numbers()[row * state.stride() + column] = 1f;
    }
    int columns = width;
    for (int i = grid.before(documents.lastStart()); i < grid.count() && columns > 0; i++) {
      boolean isReached = !grid.isFresh(i);
      chunk.load(inputs, head, grid.start(i), grid.length(i));
      chunk.residuals().zero();
      if (values > 0) {
        loadValues(inputs, head, i, from, values);
      }
      chunk.solve(state, isReached, columns);
      chunk.advance(state, isReached, columns);
      if (columns > values && !FloatDeltaTile.flush(state, shape.keyWidth(), values, columns)) {
        columns = values;
      }
    }
    if (values > 0) {
      storeState(summary, head, from, 0, values);
    }
    if (values < width) {
      storeState(transition, head, from + values - valueWidth, values, width - values);
    }
  }

  /** The outputs' columns {@code [from, to)} when the state before the slice is zero. */
  void forward(int head, LinearTensors inputs, FloatMatrix o, int from, int to) {
    int columns = to - from;
    for (int i = 0; i < grid.count(); i++) {
      boolean isReached = i > 0 && !grid.isFresh(i);
      chunk.load(inputs, head, grid.start(i), grid.length(i));
      loadValues(inputs, head, i, from, columns);
      chunk.solve(state, isReached, columns);
      loadQueries(inputs, head, i);
      if (isReached) {
        addRead(0f, columns);
      }
      addWrites(isReached ? 1f : 0f, columns);
      storeOutputs(o, head, i, from, columns);
      if (grid.passesOn(i)) {
        chunk.advance(state, isReached, columns);
      }
    }
  }

  /**
   * Adds what the state before the slice gives to the outputs' columns {@code [from, to)} of the
   * first {@code count} chunks.
   */
  void addIncoming(
      int head,
      LinearTensors inputs,
      FloatMatrix incoming,
      FloatMatrix o,
      int count,
      int from,
      int to) {
    int columns = to - from;
    loadState(incoming, head, from, columns);
    for (int i = 0; i < count && FloatDeltaTile.flush(state, shape.keyWidth(), 0, columns); i++) {
      chunk.load(inputs, head, grid.start(i), grid.length(i));
      chunk.solveWithoutValues(state, columns);
      loadQueries(inputs, head, i);
      FloatTileTransfer.load(
          o, grid.start(i), grid.length(i), head * shape.valueWidth() + from, columns, outputs);
      addRead(1f, columns);
      addWrites(1f, columns);
      storeOutputs(o, head, i, from, columns);
      if (i + 1 < count) {
        chunk.advance(state, true, columns);
      }
    }
  }

  /**
   * The states before the chunk {@code first} and before every {@code segment}-th one behind it,
   * into {@code states[offset + chunk / segment]}.
   *
   * @param incoming the state before {@code first}; null for zero
   */
  void chain(
      int head,
      LinearTensors inputs,
      FloatMatrix incoming,
      int first,
      int segment,
      FloatTile[] states,
      int offset) {
    int columns = shape.valueWidth();
    state.zero();
    if (incoming != null) {
      loadState(incoming, head, 0, columns);
    }
    int last = (grid.count() - 1) / segment * segment;
    for (int i = first; i < grid.count(); i++) {
      if (i == first || i % segment == 0) {
        copyState(states[offset + i / segment]);
      }
      if (i >= last) {
        return;
      }
      if (grid.passesOn(i)) {
        boolean isReached = !grid.isFresh(i);
        chunk.load(inputs, head, grid.start(i), grid.length(i));
        loadValues(inputs, head, i, 0, columns);
        chunk.solve(state, isReached, columns);
        chunk.advance(state, isReached, columns);
      }
    }
  }

  /** {@code O = keep · O + (b ⊙ Q) S}. */
  private void addRead(float keep, int columns) {
    int length = chunk.length();
    int keyWidth = shape.keyWidth();
    FloatTileLoop.scaleRows(queries, chunk.decay().rise(), 0, length, keyWidth, weighedQueries);
    FloatTileProduct.multiply(weighedQueries, state, keep, outputs, length, keyWidth, columns);
  }

  /** {@code O = keep · O + (D ⊙ Q Kᵀ) W}. */
  private void addWrites(float keep, int columns) {
    chunk.score(queries, scores);
    FloatTileProduct.triangleTimes(scores, chunk.writes(), keep, outputs, chunk.length(), columns);
  }

  private void loadQueries(LinearTensors inputs, int head, int i) {
    int width = shape.keyWidth();
    FloatTileTransfer.load(
        (FloatMatrix) inputs.q(), grid.start(i), grid.length(i), head * width, width, queries);
  }

  private void loadValues(LinearTensors inputs, int head, int i, int from, int columns) {
    FloatTileTransfer.load(
        (FloatMatrix) inputs.v(),
        grid.start(i),
        grid.length(i),
        head * shape.valueWidth() + from,
        columns,
        chunk.residuals());
  }

  private void loadState(FloatMatrix from, int head, int column, int columns) {
    int rows = shape.keyWidth();
    FloatTileTransfer.load(from, (long) head * rows, rows, column, columns, state);
  }

  private void storeState(FloatMatrix to, int head, int column, int from, int columns) {
    long first = (long) head * shape.keyWidth();
    for (int row = 0; row < shape.keyWidth(); row++) {
      to.write(first + row, column, state.numbers(), row * state.stride() + from, columns);
    }
  }

  private void copyState(FloatTile to) {
    for (int row = 0; row < shape.keyWidth(); row++) {
      System.arraycopy(
          state.numbers(),
          row * state.stride(),
          to.numbers(),
          row * to.stride(),
          shape.valueWidth());
    }
  }

  private void storeOutputs(FloatMatrix o, int head, int i, int from, int columns) {
    FloatTileTransfer.store(
        outputs, o, grid.start(i), grid.length(i), head * shape.valueWidth() + from, columns);
  }
}
