package org.longspan.executors.kernel;

/**
 * The stages of a {@link RowKernel} that give gradients of queries, keys and gates: a work-item
 * takes {@value #BLOCK} key columns, so that its state is {@code [valueWidth,} {@value
 * #BLOCK}{@code ]}.
 *
 * <p>The gradient of a gate is the product of the state before its token, decayed, and the gradient
 * of the one after, which need both at once: states are kept before each chunk, and a chunk's are
 * computed again before the gradients go back through it. Under the delta rule what a token writes
 * is {@code β} times its residual, and {@code pulls}, {@code [tokens, heads, valueWidth]}, are the
 * gradients of what its key read of the state before it.
 *
 * <p>{@code chunkStates} is {@code [chunks, heads, keyWidth /} {@value #BLOCK}{@code , valueWidth,}
 * {@value #BLOCK}{@code ]}, {@code history} {@code [heads, keyWidth /} {@value #BLOCK}{@code ,}
 * {@value #CHUNK}{@code , valueWidth,} {@value #BLOCK}{@code ]}, {@code residuals} as values,
 * {@code gateRows} {@code [keyWidth /} {@value #BLOCK}{@code , tokens, heads]}.
 */
abstract class KeyRowKernel extends RowKernel {
  final float[] chunkStates;
  final float[] history;
  final float[] residuals;
  final float[] pulls;
  final float[] gateRows;

  /** 1 where old values are replaced. */
  final int replaces;

  KeyRowKernel(LinearRoom room) {
    super(room);
    boolean hasGateGradients = room.hasGradients() && room.gateWidth() > 0;
    this.replaces = room.rule().replaces() ? 1 : 0;
    this.chunkStates = new float[hasGateGradients ? room.chunks() * room.stateNumbers() : 1];
    this.history = new float[hasGateGradients ? CHUNK * room.stateNumbers() : 1];
    this.residuals = new float[replaces == 1 ? room.valueNumbers() : 1];
    this.pulls = new float[replaces == 1 && room.hasGradients() ? room.valueNumbers() : 1];
    boolean hasSums = hasGateGradients && room.gateWidth() == 1;
    this.gateRows = new float[hasSums ? room.keyWidth() / BLOCK * room.gateNumbers() : 1];
  }

  /** Where in {@code decays} a token's block of key columns is. */
  final int decayAt(int token, int head, int row) {
    return (token * heads + head) * max(1, gateWidth) + min(1, gateWidth / 2) * row;
  }

  /** By how much a token's key is multiplied before it is written. */
  final float strength(int token, int head) {
    float strength = 1f;
    if (replaces == 1) {
      strength = betas[token * heads + head];
    }
    return strength;
  }

  /**
   * Gradients of queries; and backward through the tokens those of keys, where decays are constant.
   */
  final void walkKeys(int reverse, int own, int item) {
    int blocks = keyWidth / BLOCK;
    int head = item / blocks;
    if (head < heads) {
      int block = item - head * blocks;
      int row = block * BLOCK;
      float[] state = new float[MOST_ROWS * BLOCK];
      float[] added = new float[MOST_ROWS];
      float[] seen = new float[MOST_ROWS];
      float[] lanes = new float[BLOCK];
      float[] scaled = new float[BLOCK];
      float[] changed = new float[BLOCK];
      float[] kept = new float[BLOCK];
      float[] sums = new float[2 * BLOCK];
      int addedFrom = reverse * gradientsFrom;
      int seenFrom = (1 - reverse) * gradientsFrom;
      int lanesFrom = (1 - reverse) * keysFrom;
      int sumsFrom = reverse * keysFrom;
      int inState = (head * keyWidth + row) * valueWidth;
      for (int column = 0; column < valueWidth; column++) {
        added[column] = 0f;
        for (int i = 0; i < BLOCK; i++) {
          int index = inState + i * valueWidth + column;
          if (reverse == 1) {
            state[column * BLOCK + i] = after[index];
          } else {
            state[column * BLOCK + i] = before[index];
          }
        }
      }
      fillSixteen(0f, 0, lanes);
      fillSixteen(0f, 0, changed);
      fillSixteen(1f, 0, kept);
      int keeps = min(1, gateWidth) * (1 - reverse);
      for (int step = 0; step < chunks; step++) {
        int at = step + reverse * (chunks - 1 - 2 * step);
        int length = starts[at + 1] - starts[at];
        if (keeps == 1) {
          int to = ((at * heads + head) * blocks + block) * valueWidth * BLOCK;
          for (int i = 0; i < valueWidth * BLOCK; i += BLOCK) {
            writeSixteen(chunkStates, to + i, state, i);
          }
        }
        for (int place = 0; place < length; place++) {
          int token = starts[at] + place + reverse * (length - 1 - 2 * place);
          int key = (token * heads + head) * keyWidth + row;
          int value = (token * heads + head) * valueWidth;
          if (own == 1) {
            readRow(0, lanesFrom + key, 0, lanes);
            for (int column = 0; column < valueWidth; column += BLOCK) {
              if (replaces == 1) {
                readSixteen(value + column, residuals, column, added);
              } else {
                readRow(1, addedFrom + value + column, column, added);
              }
            }
          }
          for (int column = 0; column < valueWidth; column += BLOCK) {
            readRow(1, seenFrom + value + column, column, seen);
          }
          float strength = strength(token, head);
          fillSixteen(0f, 0, scaled);
          addScaled(strength, lanes, 0, scaled, 0);
          if (token + reverse < tokens) {
            int decay = decayAt(token + reverse, head, row);
            readDecays(decay, 0, changed, kept);
          }
          fillSixteen(0f, 0, sums);
          fillSixteen(0f, BLOCK, sums);
          for (int column = 0; column < valueWidth; column += 2) {
            float one = added[column];
            float other = added[column + 1];
            float seenOne = seen[column];
            float seenOther = seen[column + 1];
            int to = column * BLOCK;
            decayEach(to, changed, kept, state);
            addScaled(one, scaled, 0, state, to);
            addScaled(seenOne, state, to, sums, 0);
            decayEach(to + BLOCK, changed, kept, state);
            addScaled(other, scaled, 0, state, to + BLOCK);
            addScaled(seenOther, state, to + BLOCK, sums, BLOCK);
          }
          addScaled(1f, sums, BLOCK, sums, 0);
          writeRow(0, sumsFrom + key, 0, sums);
        }
      }
    }
  }

  /** Gradients of keys, and of gates: each key column's own, or what a head's is summed from. */
  final void walkGates(int own, int item) {
    int blocks = keyWidth / BLOCK;
    int head = item / blocks;
    if (head < heads) {
      int block = item - head * blocks;
      int row = block * BLOCK;
      float[] state = new float[MOST_ROWS * BLOCK];
      float[] values = new float[MOST_ROWS];
      float[] gradients = new float[MOST_ROWS];
      float[] pulled = new float[MOST_ROWS];
      float[] queries = new float[BLOCK];
      float[] keys = new float[BLOCK];
      float[] scaled = new float[BLOCK];
      float[] changed = new float[BLOCK];
      float[] kept = new float[BLOCK];
      float[] past = new float[BLOCK];
      float[] sums = new float[BLOCK];
      float[] crossing = new float[BLOCK];
      float[] pull = new float[BLOCK];
      float[] gradient = new float[MOST_ROWS * BLOCK];
      int inState = (head * keyWidth + row) * valueWidth;
      for (int column = 0; column < valueWidth; column++) {
        gradients[column] = 0f;
        for (int i = 0; i < BLOCK; i++) {
          gradient[column * BLOCK + i] = after[inState + i * valueWidth + column];
        }
      }
      fillSixteen(0f, 0, queries);
      int inHistory = item * CHUNK * valueWidth * BLOCK;
      for (int step = 1; step <= chunks; step++) {
        int at = chunks - step;
        int length = starts[at + 1] - starts[at];
        int keptFrom = ((at * heads + head) * blocks + block) * valueWidth * BLOCK;
        for (int i = 0; i < valueWidth * BLOCK; i += BLOCK) {
          readSixteen(keptFrom + i, chunkStates, i, state);
        }
        for (int place = 0; place < length; place++) {
          int token = starts[at] + place;
          int value = (token * heads + head) * valueWidth;
          for (int column = 0; column < valueWidth; column += BLOCK) {
            if (replaces == 1) {
              readSixteen(value + column, residuals, column, values);
            } else {
              readRow(1, value + column, column, values);
            }
          }
          readRow(0, keysFrom + (token * heads + head) * keyWidth + row, 0, keys);
          float strength = strength(token, head);
          fillSixteen(0f, 0, scaled);
          addScaled(strength, keys, 0, scaled, 0);
          int decay = decayAt(token, head, row);
          readDecays(decay, 0, changed, kept);
          int slot = inHistory + place * valueWidth * BLOCK;
          for (int column = 0; column < valueWidth; column++) {
            float number = values[column];
            int to = column * BLOCK;
            writeSixteen(history, slot + to, state, to);
            decayEach(to, changed, kept, state);
            addScaled(number, scaled, 0, state, to);
          }
        }
        for (int place = length - 1; place >= 0; place--) {
          int token = starts[at] + place;
          int key = (token * heads + head) * keyWidth + row;
          int value = (token * heads + head) * valueWidth;
          for (int column = 0; column < valueWidth; column += BLOCK) {
            if (replaces == 1) {
              readSixteen(value + column, residuals, column, values);
              readSixteen(value + column, pulls, column, pulled);
            } else {
              readRow(1, value + column, column, values);
            }
          }
          if (own == 1) {
            readRow(0, key, 0, queries);
            for (int column = 0; column < valueWidth; column += BLOCK) {
              readRow(1, gradientsFrom + value + column, column, gradients);
            }
          }
          readRow(0, keysFrom + key, 0, keys);
          int decay = decayAt(token, head, row);
          readDecays(decay, 0, changed, kept);
          fillSixteen(0f, 0, sums);
          fillSixteen(0f, 0, crossing);
          fillSixteen(0f, 0, pull);
          int slot = inHistory + place * valueWidth * BLOCK;
          for (int column = 0; column < valueWidth; column++) {
            float number = values[column];
            float given = gradients[column];
            int to = column * BLOCK;
            readSixteen(slot + to, history, 0, past);
            addScaled(given, queries, 0, gradient, to);
            addScaled(number, gradient, to, sums, 0);
            addProducts(0, past, to, gradient, 0, crossing);
            decayEach(to, changed, kept, gradient);
            if (replaces == 1) {
              float towards = pulled[column];
              addScaled(towards, past, 0, pull, 0);
              addScaled(towards, keys, 0, gradient, to);
            }
          }
          float strength = strength(token, head);
          fillSixteen(0f, 0, scaled);
          addScaled(strength, sums, 0, scaled, 0);
          addScaled(1f, pull, 0, scaled, 0);
          writeRow(0, keysFrom + key, 0, scaled);
          // What is left of the state before, times its gradient.
          fillSixteen(0f, 0, sums);
          addProducts(0, changed, 0, crossing, 0, sums);
          addProducts(0, kept, 0, crossing, 0, sums);
          addProducts(0, keys, 0, pull, 0, sums);
          if (gateWidth > 1) {
            writeSixteen(gateOutputs, key, sums, 0);
          } else {
            for (int others = BLOCK / 2; others > 0; others = others / 2) {
              for (int i = 0; i < others; i++) {
                sums[i] = sums[i] + sums[i + others];
              }
            }
            gateRows[(block * tokens + token) * heads + head] = sums[0];
          }
        }
      }
    }
  }

  /** A head's gates' gradients of a chunk. */
  final void sumGates(int at) {
    if (at < chunks) {
      int end = starts[at + 1] * heads;
      for (int index = starts[at] * heads; index < end; index++) {
        float sum = 0f;
        for (int block = 0; block < keyWidth / BLOCK; block++) {
          sum = sum + gateRows[block * tokens * heads + index];
        }
        gateOutputs[index] = sum;
      }
    }
  }
}
