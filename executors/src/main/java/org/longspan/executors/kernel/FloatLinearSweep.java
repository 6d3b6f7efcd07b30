package org.longspan.executors.kernel;

import org.longspan.executors.memory.FloatMatrix;
import org.longspan.executors.vector.FloatTile;
import org.longspan.executors.vector.FloatTileLoop;
import org.longspan.executors.vector.FloatTileProduct;

/**
 * One worker's scratch for linear attention and what it does in it: sweeps over the chunks of one
 * head, all that a chunk needs in a few tiles. With {@code b_r = λ^(r+1)}, {@code D_rs = λ^(r−s)}
 * for s ≤ r, {@code f_s = λ^(C−1−s)} and {@code γ = λ^C} over a chunk of C tokens,
 *
 * <pre>
 *   O   = (b ⊙ Q) S + (D ⊙ Q Kᵀ) V                 S' = γ S + Kᵀ (f ⊙ V)
 *   dQ  = (b ⊙ dO) Sᵀ + (D ⊙ dO Vᵀ) K              dS = γ dS' + Qᵀ (b ⊙ dO)
 *   dK  = (f ⊙ V) dS'ᵀ + (D ⊙ dO Vᵀ)ᵀ Q            dV = (f ⊙ K) dS' + (D ⊙ Q Kᵀ)ᵀ dO
 * </pre>
 *
 * the chunk-wise form of Lightning Attention-2 (arXiv 2401.04658). A tile named "across" is a
 * transpose.
 *
 * <p>Threading: one thread at a time.
 */
final class FloatLinearSweep {
  private final AttentionShape shape;
  private final FloatDecay[] decays;
  private final ChunkGrid grid;
  private final FloatTile queries;
  private final FloatTile keys;
  private final FloatTile values;
  private final FloatTile gradients;
  private final FloatTile keysAcross;
  private final FloatTile valuesAcross;
  private final FloatTile weighedKeys;
  private final FloatTile weighedValues;
  private final FloatTile weighedGradients;
  private final FloatTile scores;
  private final FloatTile scoreGradients;
  private final FloatTile keyOut;
  private final FloatTile valueOut;
  private final FloatTile state;
  private final FloatTile stateAcross;
  private final FloatTile[] chunkStates;
  private final float[] factors;

  /**
   * @param decays one for each head
   * @param grid planned before each sweep
   * @param chunk the grid's chunk length
   * @param segment most chunks of one backward sweep
   */
  FloatLinearSweep(
      AttentionShape shape, FloatDecay[] decays, ChunkGrid grid, int chunk, int segment) {
    int keyWidth = shape.keyWidth();
    int valueWidth = shape.valueWidth();
    this.shape = shape;
    this.decays = decays;
    this.grid = grid;
    this.queries = new FloatTile(chunk, keyWidth);
    this.keys = new FloatTile(chunk, keyWidth);
    this.values = new FloatTile(chunk, valueWidth);
    this.gradients = new FloatTile(chunk, valueWidth);
    this.keysAcross = new FloatTile(keyWidth, chunk);
    this.valuesAcross = new FloatTile(valueWidth, chunk);
    this.weighedKeys = new FloatTile(chunk, keyWidth);
    this.weighedValues = new FloatTile(chunk, valueWidth);
    this.weighedGradients = new FloatTile(chunk, valueWidth);
    this.scores = new FloatTile(chunk, chunk);
    this.scoreGradients = new FloatTile(chunk, chunk);
    this.keyOut = new FloatTile(chunk, keyWidth);
    this.valueOut = new FloatTile(chunk, valueWidth);
    this.state = new FloatTile(keyWidth, valueWidth);
    this.stateAcross = new FloatTile(valueWidth, keyWidth);
    this.chunkStates = new FloatTile[segment];
    for (int i = 0; i < segment; i++) {
      chunkStates[i] = new FloatTile(valueWidth, keyWidth);
    }
    this.factors = new float[chunk];
  }

  /** The state after the slice, from zero; of tokens whose decay is 0 nothing is read. */
  void summarize(int head, FloatMatrix k, FloatMatrix v, Documents documents, FloatMatrix summary) {
    FloatDecay decay = decays[head];
    state.zero();
    float keep = 0f;
    for (int i = grid.before(documents.lastStart()); i < grid.count(); i++) {
      if (decay.power(documents.tokens() - grid.end(i)) == 0f) {
        continue;
      }
      int length = grid.length(i);
      loadKeys(k, head, i, keys);
      loadValues(v, head, i, values);
      weighFalling(decay, values, length, shape.valueWidth(), weighedValues);
      FloatTileProduct.multiplyTransposed(
          keys,
          weighedValues,
          keep * decay.power(length),
          state,
          shape.keyWidth(),
          length,
          shape.valueWidth());
      keep = 1f;
    }
    storeState(summary, head);
  }

  /** The gradient of the state before the slice when that of the state after it is zero. */
  void summarizeGradient(
      int head, FloatMatrix q, FloatMatrix gradient, Documents documents, FloatMatrix summary) {
    FloatDecay decay = decays[head];
    state.zero();
    float keep = 0f;
    for (int i = grid.before(documents.continued()) - 1; i >= 0; i--) {
      if (decay.power(grid.start(i)) == 0f) {
        continue;
      }
      loadKeys(q, head, i, queries);
      loadValues(gradient, head, i, gradients);
      retreat(decay, i, keep);
      keep = 1f;
    }
    storeState(summary, head);
  }

  /** The outputs of the chunks {@code [from, to)}; see {@link #startFrom} and {@link #leave}. */
  void forward(
      int head, FloatMatrix q, FloatMatrix k, FloatMatrix v, FloatMatrix o, int from, int to) {
    FloatDecay decay = decays[head];
    int keyWidth = shape.keyWidth();
    int valueWidth = shape.valueWidth();
    for (int i = from; i < to; i++) {
      int length = grid.length(i);
      boolean isReached = i > 0 && !grid.isFresh(i);
      loadKeys(q, head, i, queries);
      loadKeys(k, head, i, keys);
      loadValues(v, head, i, values);
      FloatTileLoop.transpose(keys, length, keyWidth, keysAcross);
      if (isReached) {
        FloatTileLoop.scaleRows(queries, decay.rise(), 0, length, keyWidth, weighedKeys);
        FloatTileProduct.multiply(weighedKeys, state, 0f, valueOut, length, keyWidth, valueWidth);
      }
      score(decay, queries, keysAcross, keyWidth, length, scores);
      FloatTileProduct.triangleTimes(
          scores, values, isReached ? 1f : 0f, valueOut, length, valueWidth);
      storeValues(valueOut, o, head, i);
      if (grid.passesOn(i)) {
        weighFalling(decay, values, length, valueWidth, weighedValues);
        FloatTileProduct.multiply(
            keysAcross,
            weighedValues,
            isReached ? decay.power(length) : 0f,
            state,
            keyWidth,
            length,
            valueWidth);
      }
    }
  }

  /** The next {@link #forward} goes on from a state, transposed. */
  void startFrom(FloatTile across) {
    FloatTileLoop.transpose(across, shape.valueWidth(), shape.keyWidth(), state);
  }

  /** The state after the last {@link #forward}, transposed, where it passes on. */
  void leave(FloatTile across) {
    FloatTileLoop.transpose(state, shape.keyWidth(), shape.valueWidth(), across);
  }

  /** The next {@link #chain} starts with a state, transposed, or with zero where that is null. */
  void startChain(FloatTile across) {
    if (across == null) {
      stateAcross.zero();
    } else {
      stateAcross.set(across);
    }
  }

  /** The next {@link #chain} starts with a head's state before the slice. */
  void startChain(int head, FloatMatrix incoming) {
    loadState(incoming, head);
    FloatTileLoop.transpose(state, shape.keyWidth(), shape.valueWidth(), stateAcross);
  }

  /** The state after the last {@link #chain}, transposed, where it passes on. */
  void leaveChain(FloatTile across) {
    across.set(stateAcross);
  }

  /**
   * The states before every {@code segment}-th chunk of {@code [from, to)}, which starts with one,
   * transposed, into {@code states[first…]}.
   */
  void chain(
      int head,
      FloatMatrix k,
      FloatMatrix v,
      int segment,
      FloatTile[] states,
      int first,
      int from,
      int to) {
    for (int i = from; i < to; i++) {
      if (i % segment == 0) {
        states[first + i / segment].set(stateAcross);
        if (i + segment >= grid.count()) {
          return;
        }
      }
      advance(head, k, v, i);
    }
  }

  /**
   * The gradients of the states after the last chunk of every segment of {@code [from, to)}, which
   * starts and ends with one, into {@code states[first…]}; see {@link #startBackwardFrom}.
   */
  void chainGradient(
      int head,
      FloatMatrix q,
      FloatMatrix gradient,
      int segment,
      FloatTile[] states,
      int first,
      int from,
      int to) {
    for (int i = to - 1; i >= from; i--) {
      if (i % segment == segment - 1 || i == to - 1) {
        states[first + i / segment].set(state);
      }
      if (i < segment) {
        return;
      }
      loadKeys(q, head, i, queries);
      loadValues(gradient, head, i, gradients);
      retreat(decays[head], i, grid.passesOn(i) ? 1f : 0f);
    }
  }

  /**
   * The next {@link #backward} or {@link #chainGradient} starts with this gradient of the state
   * after its chunks, or with zero where that is null.
   */
  void startBackwardFrom(FloatTile gradient) {
    if (gradient == null) {
      state.zero();
    } else {
      state.set(gradient);
    }
  }

  /** The gradient before the chunks of the last {@link #backward} or {@link #chainGradient}. */
  void leaveBackward(FloatTile gradient) {
    gradient.set(state);
  }

  /** Adds a head's state before the slice, as it is {@code tokens} later, to a transposed one. */
  void addState(int head, FloatMatrix incoming, long tokens, FloatTile across) {
    loadState(incoming, head);
    FloatTileLoop.transpose(state, shape.keyWidth(), shape.valueWidth(), stateAcross);
    FloatTileLoop.addScaled(stateAcross, decays[head].power(tokens), across);
  }

  /** Adds the gradient of a head's state after the slice, as it is {@code tokens} before. */
  void addStateGradient(int head, FloatMatrix incoming, long tokens, FloatTile gradient) {
    loadState(incoming, head);
    FloatTileLoop.addScaled(state, decays[head].power(tokens), gradient);
  }

  /**
   * The gradients of the chunks {@code [from, to)}, at most a segment; afterwards the gradient of
   * the state is that before them.
   *
   * @param before the transposed state before the chunk {@code from}
   */
  void backward(
      int head,
      FloatMatrix q,
      FloatMatrix k,
      FloatMatrix v,
      FloatMatrix gradient,
      FloatTile before,
      FloatMatrix dq,
      FloatMatrix dk,
      FloatMatrix dv,
      int from,
      int to) {
    stateAcross.set(before);
    for (int i = from; i < to; i++) {
      chunkStates[i - from].set(stateAcross);
      if (i + 1 < to) {
        advance(head, k, v, i);
      }
    }
    for (int i = to - 1; i >= from; i--) {
      loadKeys(q, head, i, queries);
      loadKeys(k, head, i, keys);
      loadValues(v, head, i, values);
      loadValues(gradient, head, i, gradients);
      backward(head, i, chunkStates[i - from], dq, dk, dv);
    }
  }

  private void backward(
      int head, int chunk, FloatTile before, FloatMatrix dq, FloatMatrix dk, FloatMatrix dv) {
    FloatDecay decay = decays[head];
    int keyWidth = shape.keyWidth();
    int valueWidth = shape.valueWidth();
    int length = grid.length(chunk);
    boolean isReached = !grid.isFresh(chunk);
    boolean passesOn = grid.passesOn(chunk);
    float keep = passesOn ? 1f : 0f;
    FloatTileLoop.transpose(keys, length, keyWidth, keysAcross);
    FloatTileLoop.transpose(values, length, valueWidth, valuesAcross);
    score(decay, queries, keysAcross, keyWidth, length, scores);
    score(decay, gradients, valuesAcross, valueWidth, length, scoreGradients);

    if (isReached) {
      FloatTileLoop.scaleRows(gradients, decay.rise(), 0, length, valueWidth, weighedGradients);
      FloatTileProduct.multiply(weighedGradients, before, 0f, keyOut, length, valueWidth, keyWidth);
    }
    FloatTileProduct.triangleTimes(
        scoreGradients, keys, isReached ? 1f : 0f, keyOut, length, keyWidth);
    storeKeys(keyOut, dq, head, chunk);

    if (passesOn) {
      weighFalling(decay, keys, length, keyWidth, weighedKeys);
      FloatTileProduct.multiply(weighedKeys, state, 0f, valueOut, length, keyWidth, valueWidth);
    }
    FloatTileProduct.transposedTriangleTimes(scores, gradients, keep, valueOut, length, valueWidth);
    storeValues(valueOut, dv, head, chunk);

    if (passesOn) {
      FloatTileLoop.transpose(state, keyWidth, valueWidth, stateAcross);
      weighFalling(decay, values, length, valueWidth, weighedValues);
      FloatTileProduct.multiply(
          weighedValues, stateAcross, 0f, keyOut, length, valueWidth, keyWidth);
    }
    FloatTileProduct.transposedTriangleTimes(
        scoreGradients, queries, keep, keyOut, length, keyWidth);
    storeKeys(keyOut, dk, head, chunk);

    if (isReached && chunk > 0) {
      FloatTileProduct.multiplyTransposed(
          queries,
          weighedGradients,
          keep * decay.power(length),
          state,
          keyWidth,
          length,
          valueWidth);
    }
  }

  /** Adds what the state before the slice gives to the outputs of the chunks {@code [from, to)}. */
  void addIncoming(int head, FloatMatrix q, FloatMatrix incoming, FloatMatrix o, int from, int to) {
    FloatDecay decay = decays[head];
    loadState(incoming, head);
    for (int i = from; i < to; i++) {
      float reach = decay.power(grid.start(i));
      if (reach == 0f) {
        return;
      }
      int length = grid.length(i);
      loadKeys(q, head, i, queries);
      loadValues(o, head, i, valueOut);
      weigh(reach, decay.rise(), 0, length);
      FloatTileLoop.scaleRows(queries, factors, 0, length, shape.keyWidth(), weighedKeys);
      FloatTileProduct.multiply(
          weighedKeys, state, 1f, valueOut, length, shape.keyWidth(), shape.valueWidth());
      storeValues(valueOut, o, head, i);
    }
  }

  /**
   * Adds what the gradient of the state after the slice gives to the gradients of the chunks {@code
   * [from, to)}.
   */
  void addIncomingGradient(
      int head,
      FloatMatrix k,
      FloatMatrix v,
      FloatMatrix incoming,
      int tokens,
      FloatMatrix dk,
      FloatMatrix dv,
      int from,
      int to) {
    FloatDecay decay = decays[head];
    int keyWidth = shape.keyWidth();
    int valueWidth = shape.valueWidth();
    loadState(incoming, head);
    FloatTileLoop.transpose(state, keyWidth, valueWidth, stateAcross);
    for (int i = from; i < to; i++) {
      float reach = decay.power(tokens - grid.end(i));
      if (reach == 0f) {
        continue;
      }
      int length = grid.length(i);
      weigh(reach, decay.pairs(), decay.fallOffset(length), length);
      loadValues(v, head, i, values);
      loadKeys(dk, head, i, keyOut);
      FloatTileLoop.scaleRows(values, factors, 0, length, valueWidth, weighedValues);
      FloatTileProduct.multiply(
          weighedValues, stateAcross, 1f, keyOut, length, valueWidth, keyWidth);
      storeKeys(keyOut, dk, head, i);
      loadKeys(k, head, i, keys);
      loadValues(dv, head, i, valueOut);
      FloatTileLoop.scaleRows(keys, factors, 0, length, keyWidth, weighedKeys);
      FloatTileProduct.multiply(weighedKeys, state, 1f, valueOut, length, keyWidth, valueWidth);
      storeValues(valueOut, dv, head, i);
    }
  }

  /** {@code D ⊙ A Bᵀ}, given Bᵀ. */
  private static void score(
      FloatDecay decay, FloatTile a, FloatTile bAcross, int depth, int length, FloatTile out) {
    FloatTileProduct.intoTriangle(a, bAcross, out, length, depth);
    FloatTileLoop.weighTriangle(out, decay.pairs(), decay.middle(), length);
  }

  private static void weighFalling(
      FloatDecay decay, FloatTile from, int length, int columns, FloatTile to) {
    FloatTileLoop.scaleRows(from, decay.pairs(), decay.fallOffset(length), length, columns, to);
  }

  private void weigh(float reach, float[] powers, int offset, int length) {
    for (int r = 0; r < length; r++) {
      factors[r] = reach * powers[offset + r];
    }
  }

  /** Takes the transposed state from before a chunk to after it. */
  private void advance(int head, FloatMatrix k, FloatMatrix v, int chunk) {
    if (!grid.passesOn(chunk)) {
      return;
    }
    FloatDecay decay = decays[head];
    int length = grid.length(chunk);
    loadKeys(k, head, chunk, keys);
    loadValues(v, head, chunk, values);
    weighFalling(decay, values, length, shape.valueWidth(), weighedValues);
    FloatTileProduct.multiplyTransposed(
        weighedValues,
        keys,
        grid.isFresh(chunk) ? 0f : decay.power(length),
        stateAcross,
        shape.valueWidth(),
        length,
        shape.keyWidth());
  }

  /** Takes the state's gradient from after the loaded chunk, where it counts, to before it. */
  private void retreat(FloatDecay decay, int chunk, float keep) {
    int length = grid.length(chunk);
    FloatTileLoop.scaleRows(
        gradients, decay.rise(), 0, length, shape.valueWidth(), weighedGradients);
    FloatTileProduct.multiplyTransposed(
        queries,
        weighedGradients,
        keep * decay.power(length),
        state,
        shape.keyWidth(),
        length,
        shape.valueWidth());
  }

  private void loadKeys(FloatMatrix from, int head, int chunk, FloatTile tile) {
    int width = shape.keyWidth();
    FloatTileTransfer.load(from, grid.start(chunk), grid.length(chunk), head * width, width, tile);
  }

  private void loadValues(FloatMatrix from, int head, int chunk, FloatTile tile) {
    int width = shape.valueWidth();
    FloatTileTransfer.load(from, grid.start(chunk), grid.length(chunk), head * width, width, tile);
  }

  private void storeKeys(FloatTile tile, FloatMatrix to, int head, int chunk) {
    int width = shape.keyWidth();
    FloatTileTransfer.store(tile, to, grid.start(chunk), grid.length(chunk), head * width, width);
  }

  private void storeValues(FloatTile tile, FloatMatrix to, int head, int chunk) {
    int width = shape.valueWidth();
    FloatTileTransfer.store(tile, to, grid.start(chunk), grid.length(chunk), head * width, width);
  }

  private void loadState(FloatMatrix from, int head) {
    int rows = shape.keyWidth();
    FloatTileTransfer.load(from, (long) head * rows, rows, 0, shape.valueWidth(), state);
  }

  private void storeState(FloatMatrix to, int head) {
    int rows = shape.keyWidth();
    FloatTileTransfer.store(state, to, (long) head * rows, rows, 0, shape.valueWidth());
  }
}
