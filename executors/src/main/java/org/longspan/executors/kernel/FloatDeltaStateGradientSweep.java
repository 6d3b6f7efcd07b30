package org.longspan.executors.kernel;

import org.longspan.executors.memory.FloatMatrix;
import org.longspan.executors.vector.FloatTile;

/**
 * One worker's sweeps of the gated delta rule against the tokens, which carry the gradient of a
 * state of one head from chunk to chunk; see {@link FloatDeltaStateGradient}.
 *
 * <p>Threading: one thread at a time.
 */
final class FloatDeltaStateGradientSweep {
  private final AttentionShape shape;
  private final ChunkGrid grid;
  private final FloatDeltaChunk chunk;
  private final FloatDeltaStateGradient state;

  /**
   * @param grid planned before each sweep
   * @param length the grid's chunk length
   */
  FloatDeltaStateGradientSweep(AttentionShape shape, ChunkGrid grid, int length) {
    this.shape = shape;
    this.grid = grid;
    this.chunk = new FloatDeltaChunk(shape.keyWidth(), length, 1);
    this.state = new FloatDeltaStateGradient(shape, length);
  }

  /**
   * The columns {@code [from, to)} of the gradient of the state before the slice, when only the
   * outputs of its first {@code count} chunks have one.
   */
  void summarize(
      int head,
      LinearTensors inputs,
      FloatMatrix outputGradient,
      FloatMatrix summary,
      int count,
      int from,
      int to) {
    state.gradient().zero();
    for (int i = count - 1; i >= 0; i--) {
      retreat(head, inputs, outputGradient, i, i + 1 < count, from, to - from);
    }
    int rows = shape.keyWidth();
    FloatTileTransfer.store(state.gradient(), summary, (long) head * rows, rows, from, to - from);
  }

  /**
   * The gradients of the states after every segment's last chunk, down to the segment of the chunk
   * {@code first}, into {@code gradients[offset + chunk / segment]}.
   *
   * @param outputGradient null for zero
   * @param incoming the gradient of the state after the slice; null for zero
   */
  void chain(
      int head,
      LinearTensors inputs,
      FloatMatrix outputGradient,
      FloatMatrix incoming,
      int first,
      int segment,
      FloatTile[] gradients,
      int offset) {
    int end = grid.count() - 1;
    state.start(incoming, head);
    boolean isLeft = outputGradient != null || state.flush();
    for (int i = end; i >= first; i--) {
      if (i % segment == segment - 1 || i == end) {
        gradients[offset + i / segment].set(state.gradient());
      }
      if (i / segment == first / segment) {
        return;
      }
      if (isLeft && !grid.isFresh(i)) {
        boolean carries = i == end ? incoming != null : grid.passesOn(i);
        retreat(head, inputs, outputGradient, i, carries, 0, shape.valueWidth());
        isLeft = outputGradient != null || state.flush();
      }
    }
  }

  private void retreat(
      int head,
      LinearTensors inputs,
      FloatMatrix outputGradient,
      int i,
      boolean carries,
      int from,
      int columns) {
    chunk.load(inputs, head, grid.start(i), grid.length(i));
    if (carries) {
      state.takeState(chunk, columns);
    }
    if (outputGradient != null) {
      state.load(chunk, inputs, outputGradient, head, grid.start(i), from, columns);
      state.takeOutputs(chunk, carries, columns);
    }
    state.solve(chunk, columns);
    state.retreat(chunk, carries, columns);
    if (outputGradient != null) {
      state.retreatOutputs(chunk, columns);
    }
  }
}
