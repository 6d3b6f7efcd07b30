package org.longspan.executors.kernel;

import java.util.Arrays;
import org.longspan.executors.memory.FloatMatrix;
import org.longspan.executors.vector.FloatGateTile;
import org.longspan.executors.vector.FloatNumber;
import org.longspan.executors.vector.FloatRow;
import org.longspan.executors.vector.FloatTile;
import org.longspan.executors.vector.FloatTileLoop;
import org.longspan.executors.vector.FloatTileProduct;

/**
 * One worker's scratch for linear attention with gates and what it does in it: sweeps over the
 * chunks of one head, all that a chunk needs in a few tiles. With rise, fall, decay and D of {@link
 * FloatGatedFactors}, and {@code G = dO Vᵀ},
 *
 * <pre>
 *   O  = (rise ⊙ Q) S + A V                        A_rs  = Σ_i q_ri k_si D_rs,i
 *   S' = diag(decay) S + (fall ⊙ K)ᵀ V             dS    = diag(decay) dS' + (rise ⊙ Q)ᵀ dO
 *   dQ = rise ⊙ (dO Sᵀ) + Σ_{s≤r} G_rs k_s ⊙ D_rs  dV    = (fall ⊙ K) dS' + Aᵀ dO
 *   dK = fall ⊙ (V dS'ᵀ) + Σ_{r≥s} G_rs q_r ⊙ D_rs
 * </pre>
 *
 * the chunk-wise form of GLA (arXiv 2312.06635). The gate of token t weighs whatever passes from
 * before it to it or after it. Its gradient is the sum of what passes: from the state before the
 * chunk to tokens r ≥ t, from tokens s &lt; t and the state before to the state after, and from
 * tokens s &lt; t to tokens r ≥ t,
 *
 * <pre>
 *   dg_t = Σ_{r≥t} q_r ⊙ dq_r − Σ_{s≥t} k_s ⊙ dk_s       of the first, and of pairs of two tokens
 *        + Σ_{s<t} k_s ⊙ (fall ⊙ V dS'ᵀ)_s + decay ⊙ rowsum(S ⊙ dS')
 * </pre>
 *
 * which equals the sum of GLA, {@code Σ_{r≥t} (q_r ⊙ dq_r − k_r ⊙ dk_r) + rowsum(S' ⊙ dS')}, less
 * what cancels in it. A tile named "across" is a transpose.
 *
 * <p>Threading: one thread at a time.
 */
final class FloatGatedSweep {
  private final AttentionShape shape;
  private final ChunkGrid grid;
  private final FloatGatedFactors factors;
  private final FloatTile queries;
  private final FloatTile keys;
  private final FloatTile values;
  private final FloatTile gradients;
  private final FloatTile valuesAcross;
  private final FloatTile weighed;
  private final FloatTile scores;
  private final FloatTile scoreGradients;
  private final FloatTile queryOut;
  private final FloatTile keyOut;
  private final FloatTile keyNear;
  private final FloatTile gateOut;
  private final FloatTile valueOut;
  private final FloatTile state;
  private final FloatTile stateAcross;
  private final FloatTile[] chunkStates;
  private final FloatTile reaches;
  private final double[] logs;
  private final float[] reach;
  private final float[] sums;
  private final float[] ownPairs;

  /**
   * @param factors this worker's own
   * @param grid planned before each sweep
   * @param chunk the grid's chunk length
   * @param segment most chunks of one backward sweep
   */
  FloatGatedSweep(
      AttentionShape shape, FloatGatedFactors factors, ChunkGrid grid, int chunk, int segment) {
    int keyWidth = shape.keyWidth();
    int valueWidth = shape.valueWidth();
    this.shape = shape;
    this.grid = grid;
    this.factors = factors;
    this.queries = new FloatTile(chunk, keyWidth);
    this.keys = new FloatTile(chunk, keyWidth);
    this.values = new FloatTile(chunk, valueWidth);
    this.gradients = new FloatTile(chunk, valueWidth);
    this.valuesAcross = new FloatTile(valueWidth, chunk);
    this.weighed = new FloatTile(chunk, keyWidth);
    this.scores = new FloatTile(chunk, chunk);
    this.scoreGradients = new FloatTile(chunk, chunk);
    this.queryOut = new FloatTile(chunk, keyWidth);
    this.keyOut = new FloatTile(chunk, keyWidth);
    this.keyNear = new FloatTile(chunk, keyWidth);
    this.gateOut = new FloatTile(chunk, keyWidth);
    this.valueOut = new FloatTile(chunk, valueWidth);
    this.state = new FloatTile(keyWidth, valueWidth);
    this.stateAcross = new FloatTile(valueWidth, keyWidth);
    this.chunkStates = new FloatTile[segment];
    for (int i = 0; i < segment; i++) {
      chunkStates[i] = new FloatTile(valueWidth, keyWidth);
    }
    this.reaches = new FloatTile(segment, keyWidth);
    this.logs = new double[keyWidth];
    this.reach = new float[FloatTile.padded(keyWidth)];
    this.sums = new float[FloatTile.padded(keyWidth)];
    this.ownPairs = new float[chunk];
  }

  /** {@code total}: the logs of the gates of the chunks {@code [from, to)}, for each key column. */
  void sumLogs(int head, FloatMatrix gates, int from, int to, double[] total) {
    Arrays.fill(total, 0);
    for (int i = from; i < to; i++) {
      factors.loadLogs(gates, head, grid.start(i), grid.length(i));
      factors.addLogs(total);
    }
  }

  /** The state after the slice, from zero before the chunk {@code from}. */
  void summarize(int head, FloatGatedTensors inputs, int from, FloatMatrix summary) {
    state.zero();
    for (int i = from; i < grid.count(); i++) {
      factors.loadFall(inputs.gates(), head, grid.start(i), grid.length(i));
      loadKeys(inputs.k(), head, i, keys);
      loadValues(inputs.v(), head, i, values);
      advance(i, i > from);
    }
    storeState(summary, head);
  }

  /** The gradient of the state before the slice when that before the chunk {@code to} is zero. */
  void summarizeGradient(
      int head, FloatGatedTensors inputs, FloatMatrix gradient, int to, FloatMatrix summary) {
    state.zero();
    for (int i = to - 1; i >= 0; i--) {
      loadForRetreat(head, inputs, gradient, i);
      retreat(i, i < to - 1);
    }
    storeState(summary, head);
  }

  /** The outputs of the chunks {@code [from, to)}; see {@link #startFrom}. */
  void forward(int head, FloatGatedTensors inputs, FloatMatrix o, int from, int to) {
    int keyWidth = shape.keyWidth();
    int valueWidth = shape.valueWidth();
    for (int i = from; i < to; i++) {
      int length = grid.length(i);
      boolean isReached = i > 0 && !grid.isFresh(i);
      factors.load(inputs.gates(), head, grid.start(i), length);
      loadKeys(inputs.q(), head, i, queries);
      loadKeys(inputs.k(), head, i, keys);
      loadValues(inputs.v(), head, i, values);
      if (isReached) {
        factors.rise(queries, weighed);
        FloatTileProduct.multiply(weighed, state, 0f, valueOut, length, keyWidth, valueWidth);
      }
      factors.scores(queries, keys, scores);
      FloatTileProduct.triangleTimes(
          scores, values, isReached ? 1f : 0f, valueOut, length, valueWidth);
      storeValues(valueOut, o, head, i);
      if (grid.passesOn(i)) {
        advance(i, isReached);
      }
    }
  }

  /** The next {@link #forward} goes on from a state that {@link #chain} left. */
  void startFrom(FloatTile across) {
    FloatTileLoop.transpose(across, shape.valueWidth(), shape.keyWidth(), state);
  }

  /**
   * The states before every {@code segment}-th chunk, transposed, into {@code states[first…]}.
   *
   * @param incoming the state before the slice; null for zero
   */
  void chain(
      int head,
      FloatGatedTensors inputs,
      FloatMatrix incoming,
      int segment,
      FloatTile[] states,
      int first) {
    stateAcross.zero();
    if (incoming != null) {
      loadState(incoming, head);
      FloatTileLoop.transpose(state, shape.keyWidth(), shape.valueWidth(), stateAcross);
    }
    for (int i = 0; i < grid.count(); i++) {
      if (i % segment == 0) {
        states[first + i / segment].set(stateAcross);
        if (i + segment >= grid.count()) {
          return;
        }
      }
      advanceAcross(head, inputs, i);
    }
  }

  /** The gradients of the states after every segment's last chunk, into {@code states[first…]}. */
  void chainGradient(
      int head,
      FloatGatedTensors inputs,
      FloatMatrix gradient,
      int segment,
      FloatTile[] states,
      int first) {
    state.zero();
    for (int i = grid.count() - 1; i >= 0; i--) {
      if (i % segment == segment - 1 || i == grid.count() - 1) {
        states[first + i / segment].set(state);
      }
      if (i < segment) {
        return;
      }
      loadForRetreat(head, inputs, gradient, i);
      retreat(i, grid.passesOn(i));
    }
  }

  /** The next {@link #backward} starts with this gradient of the state after its chunks. */
  void startBackwardFrom(FloatTile gradient) {
    state.set(gradient);
  }

  /** The next {@link #backward} starts with a gradient of zero. */
  void startBackwardFromZero() {
    state.zero();
  }

  /**
   * The gradients of the chunks {@code [from, to)}, at most a segment; afterwards the gradient of
   * the state is that before them.
   *
   * @param before the transposed state before the chunk {@code from}
   */
  void backward(
      int head,
      FloatGatedTensors inputs,
      FloatMatrix gradient,
      FloatTile before,
      FloatGatedTensors out,
      int from,
      int to) {
    stateAcross.set(before);
    for (int i = from; i < to; i++) {
      chunkStates[i - from].set(stateAcross);
      if (i + 1 < to) {
        advanceAcross(head, inputs, i);
      }
    }
    for (int i = to - 1; i >= from; i--) {
      factors.load(inputs.gates(), head, grid.start(i), grid.length(i));
      loadKeys(inputs.q(), head, i, queries);
      loadKeys(inputs.k(), head, i, keys);
      loadValues(inputs.v(), head, i, values);
      loadValues(gradient, head, i, gradients);
      backward(head, i, chunkStates[i - from], out);
    }
  }

  private void backward(int head, int chunk, FloatTile before, FloatGatedTensors out) {
    int keyWidth = shape.keyWidth();
    int valueWidth = shape.valueWidth();
    int length = grid.length(chunk);
    boolean isReached = !grid.isFresh(chunk);
    boolean passesOn = grid.passesOn(chunk);
    queryOut.zero();
    keyOut.zero();
    Arrays.fill(sums, 0f);
    if (isReached) {
      FloatTileProduct.multiply(gradients, before, 0f, weighed, length, valueWidth, keyWidth);
      factors.rise(weighed, queryOut);
    }
    if (passesOn) {
      FloatTileLoop.transpose(state, keyWidth, valueWidth, stateAcross);
      FloatTileProduct.multiply(values, stateAcross, 0f, weighed, length, valueWidth, keyWidth);
      factors.fall(weighed, keyOut);
    }
    if (isReached && passesOn) {
      FloatGateTile.columnProducts(
          before, stateAcross, valueWidth, keyWidth, factors.decay(), sums);
    }
    FloatGateTile.sumsBefore(keys, keyOut, sums, length, keyWidth, gateOut);

    FloatTileLoop.transpose(values, length, valueWidth, valuesAcross);
    FloatTileProduct.intoTriangle(gradients, valuesAcross, scoreGradients, length, valueWidth);
    diagonal(scoreGradients, length);
    factors.pairGradients(queries, keys, scoreGradients, scores, queryOut, keyNear);
    FloatGateTile.addSumsFrom(queries, queryOut, keys, keyNear, length, keyWidth, gateOut);
    if (!isReached) {
      Arrays.fill(gateOut.numbers(), 0, gateOut.stride(), 0f);
    }
    FloatGateTile.add(keyNear, length, keyWidth, keyOut);
    addOwnPairs(length);
    storeKeys(queryOut, out.q(), head, chunk);
    storeKeys(keyOut, out.k(), head, chunk);
    factors.store(gateOut, out.gates(), head, grid.start(chunk), length);

    if (passesOn) {
      factors.fall(keys, weighed);
      FloatTileProduct.multiply(weighed, state, 0f, valueOut, length, keyWidth, valueWidth);
    }
    FloatTileProduct.transposedTriangleTimes(
        scores, gradients, passesOn ? 1f : 0f, valueOut, length, valueWidth);
    storeValues(valueOut, out.v(), head, chunk);
    if (isReached && chunk > 0) {
      retreat(chunk, passesOn);
    }
  }

  private void diagonal(FloatTile tile, int length) {
    for (int r = 0; r < length; r++) {
      ownPairs[r] = tile.numbers()[r * tile.stride() + r];
    }
  }

  /** What each token's pair with itself gives to its query and key. */
  private void addOwnPairs(int length) {
    int width = shape.keyWidth();
    for (int r = 0; r < length; r++) {
      int start = r * keys.stride();
      FloatRow.addScaled(ownPairs[r], keys.numbers(), start, queryOut.numbers(), start, width);
      FloatRow.addScaled(ownPairs[r], queries.numbers(), start, keyOut.numbers(), start, width);
    }
  }

  /**
   * Adds what the state before the slice gives to the outputs of the chunks {@code [from, to)}.
   *
   * @param logsBefore the sums of the logs of the gates before them
   */
  void addIncoming(
      int head,
      FloatGatedTensors inputs,
      FloatMatrix incoming,
      FloatMatrix o,
      double[] logsBefore,
      int from,
      int to) {
    int keyWidth = shape.keyWidth();
    int valueWidth = shape.valueWidth();
    System.arraycopy(logsBefore, 0, logs, 0, keyWidth);
    loadState(incoming, head);
    for (int i = from; i < to; i++) {
      if (!reach(reach, 0)) {
        return;
      }
      int length = grid.length(i);
      factors.loadRise(inputs.gates(), head, grid.start(i), length);
      factors.addLogs(logs);
      loadKeys(inputs.q(), head, i, queries);
      loadValues(o, head, i, valueOut);
      factors.rise(queries, weighed);
      FloatGateTile.multiplyColumns(weighed, reach, length, keyWidth, weighed);
      FloatTileProduct.multiply(weighed, state, 1f, valueOut, length, keyWidth, valueWidth);
      storeValues(valueOut, o, head, i);
    }
  }

  /**
   * Adds what the gradient of the state after the slice gives to the gradients of the chunks {@code
   * [from, to)}, at most a segment; to those of the gates only what comes from these chunks, and
   * from the state {@code incoming}. What passes on to the gates of later chunks is {@code passed}.
   *
   * @param incoming the state before the slice if the chunks are its first and it reaches the state
   *     after the slice; else null
   * @param logsAfter the sums of the logs of the gates after the chunks
   */
  void addIncomingGradient(
      int head,
      FloatGatedTensors inputs,
      FloatMatrix incoming,
      FloatMatrix incomingGradient,
      double[] logsAfter,
      FloatGatedTensors out,
      float[] passed,
      int from,
      int to) {
    int keyWidth = shape.keyWidth();
    int valueWidth = shape.valueWidth();
    System.arraycopy(logsAfter, 0, logs, 0, keyWidth);
    for (int i = to - 1; i >= from; i--) {
      reach(reaches.numbers(), (i - from) * reaches.stride());
      factors.loadLogs(inputs.gates(), head, grid.start(i), grid.length(i));
      factors.addLogs(logs);
    }
    Arrays.fill(passed, 0f);
    if (incoming != null && reach(reach, 0)) {
      loadState(incoming, head);
      FloatTileLoop.transpose(state, keyWidth, valueWidth, chunkStates[0]);
    }
    loadState(incomingGradient, head);
    FloatTileLoop.transpose(state, keyWidth, valueWidth, stateAcross);
    if (incoming != null && reach(reach, 0)) {
      FloatGateTile.columnProducts(
          chunkStates[0], stateAcross, valueWidth, keyWidth, reach, passed);
    }
    for (int i = from; i < to; i++) {
      System.arraycopy(
          reaches.numbers(), (i - from) * reaches.stride(), reach, 0, reaches.stride());
      if (isPositive(reach, 0)) {
        addIncomingGradient(head, inputs, out, passed, i);
      }
    }
  }

  private void addIncomingGradient(
      int head, FloatGatedTensors inputs, FloatGatedTensors out, float[] passed, int chunk) {
    int keyWidth = shape.keyWidth();
    int valueWidth = shape.valueWidth();
    int length = grid.length(chunk);
    factors.loadFall(inputs.gates(), head, grid.start(chunk), length);
    loadKeys(inputs.k(), head, chunk, keys);
    loadValues(inputs.v(), head, chunk, values);
    loadKeys(out.k(), head, chunk, keyOut);
    loadValues(out.v(), head, chunk, valueOut);
    FloatTileProduct.multiply(values, stateAcross, 0f, weighed, length, valueWidth, keyWidth);
    factors.fall(weighed, keyNear);
    FloatGateTile.multiplyColumns(keyNear, reach, length, keyWidth, keyNear);
    FloatGateTile.sumsBefore(keys, keyNear, passed, length, keyWidth, gateOut);
    FloatGateTile.add(keyNear, length, keyWidth, keyOut);
    storeKeys(keyOut, out.k(), head, chunk);
    factors.add(gateOut, out.gates(), head, grid.start(chunk), length);
    factors.fall(keys, weighed);
    FloatGateTile.multiplyColumns(weighed, reach, length, keyWidth, weighed);
    FloatTileProduct.multiply(weighed, state, 1f, valueOut, length, keyWidth, valueWidth);
    storeValues(valueOut, out.v(), head, chunk);
  }

  /**
   * Adds to the gradients of the gates of the chunks {@code [from, to)} the same for each token.
   */
  void addPassed(int head, float[] passed, FloatMatrix gates, int from, int to) {
    if (from < to) {
      int stride = gateOut.stride();
      for (int start = 0; start < gateOut.numbers().length; start += stride) {
        System.arraycopy(passed, 0, gateOut.numbers(), start, stride);
      }
    }
    for (int i = from; i < to; i++) {
      factors.add(gateOut, gates, head, grid.start(i), grid.length(i));
    }
  }

  /** {@code to[at…] = exp(logs)}; whether any of them is not 0. */
  private boolean reach(float[] to, int at) {
    int padded = FloatTile.padded(logs.length);
    Arrays.fill(to, at + logs.length, at + padded, 0f);
    for (int i = 0; i < logs.length; i++) {
      to[at + i] = FloatNumber.of(logs[i]);
    }
    FloatGateTile.exponentials(to, at, padded);
    return isPositive(to, at);
  }

  private boolean isPositive(float[] factors, int at) {
    for (int i = at; i < at + logs.length; i++) {
      if (factors[i] > 0f) {
        return true;
      }
    }
    return false;
  }

  /** Takes the state from before the loaded chunk, where it counts, to after it. */
  private void advance(int chunk, boolean isReached) {
    int keyWidth = shape.keyWidth();
    int valueWidth = shape.valueWidth();
    factors.fall(keys, weighed);
    if (isReached) {
      FloatTileLoop.scaleRows(state, factors.decay(), 0, keyWidth, valueWidth, state);
    }
    FloatTileProduct.multiplyTransposed(
        weighed, values, isReached ? 1f : 0f, state, keyWidth, grid.length(chunk), valueWidth);
  }

  /** Takes the transposed state from before a chunk to after it. */
  private void advanceAcross(int head, FloatGatedTensors inputs, int chunk) {
    if (!grid.passesOn(chunk)) {
      return;
    }
    int keyWidth = shape.keyWidth();
    int valueWidth = shape.valueWidth();
    int length = grid.length(chunk);
    boolean isReached = !grid.isFresh(chunk);
    factors.loadFall(inputs.gates(), head, grid.start(chunk), length);
    loadKeys(inputs.k(), head, chunk, keys);
    loadValues(inputs.v(), head, chunk, values);
    factors.fall(keys, weighed);
    if (isReached) {
      FloatGateTile.multiplyColumns(
          stateAcross, factors.decay(), valueWidth, keyWidth, stateAcross);
    }
    FloatTileProduct.multiplyTransposed(
        values, weighed, isReached ? 1f : 0f, stateAcross, valueWidth, length, keyWidth);
  }

  private void loadForRetreat(int head, FloatGatedTensors inputs, FloatMatrix gradient, int chunk) {
    factors.loadRise(inputs.gates(), head, grid.start(chunk), grid.length(chunk));
    loadKeys(inputs.q(), head, chunk, queries);
    loadValues(gradient, head, chunk, gradients);
  }

  /** Takes the state's gradient from after the loaded chunk, where it counts, to before it. */
  private void retreat(int chunk, boolean passesOn) {
    int keyWidth = shape.keyWidth();
    int valueWidth = shape.valueWidth();
    factors.rise(queries, weighed);
    if (passesOn) {
      FloatTileLoop.scaleRows(state, factors.decay(), 0, keyWidth, valueWidth, state);
    }
    FloatTileProduct.multiplyTransposed(
        weighed, gradients, passesOn ? 1f : 0f, state, keyWidth, grid.length(chunk), valueWidth);
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
