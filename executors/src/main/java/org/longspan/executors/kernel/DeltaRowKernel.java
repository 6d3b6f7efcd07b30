package org.longspan.executors.kernel;

/**
 * The gated delta rule by rows, translated by Aparapi from this class's bytecode, with the stages
 * of {@link RowKernel} whose work-items take {@value #BLOCK} columns of values through the
 * recurrence itself:
 *
 * <pre>
 *   r = v − d Sᵀk        S' = d S + β k rᵀ        o = S'ᵀ q
 *   dw = dS'ᵀk   with {@code dS'} after {@code q doᵀ} was added to it
 *   dv = β dw    p = −β d dw    dβ = r · dw       dS = d dS' + k pᵀ
 * </pre>
 *
 * {@code residuals} holds r, {@code pulls} p. What the next token's key reads of the state, and
 * {@code dw}, are summed while the state changes, so that each token goes through it once.
 *
 * <p>{@code betaRows} is {@code [valueWidth /} {@value #BLOCK}{@code , tokens, heads]}.
 */
final class DeltaRowKernel extends KeyRowKernel {
  final float[] betaRows;

  DeltaRowKernel(LinearRoom room) {
    super(room);
    this.betaRows =
        new float[room.hasGradients() ? room.valueWidth() / BLOCK * room.betaNumbers() : 1];
  }

  @Override
  public void run() {
    int stage = stages[getPassId()];
    int own = 1;
    if (stage >= OUTSIDE) {
      own = 0;
      stage = stage - OUTSIDE;
    }
    if (stage == DECAYS) {
      findAllDecays(getGlobalId());
    } else if (stage == OUTPUTS) {
      write(0, own, getGlobalId());
    } else if (stage == TRANSITION) {
      write(1, 0, getGlobalId());
    } else if (stage == VALUE_GRADIENTS) {
      writeBack(own, getGlobalId());
    } else if (stage == QUERY_GRADIENTS) {
      walkKeys(0, 1, getGlobalId());
    } else if (stage == KEY_GRADIENTS) {
      walkGates(own, getGlobalId());
    } else {
      sumGates(getGlobalId());
      sumBetas(getGlobalId());
    }
  }

  /**
   * Outputs and residuals; or what becomes of a state: of the unit matrix, where nothing is written
   * but residuals of nothing.
   */
  private void write(int ofUnit, int own, int item) {
    int width = valueWidth;
    if (ofUnit == 1) {
      width = keyWidth;
    }
    int blocks = width / BLOCK;
    int head = item / blocks;
    if (head < heads) {
      int firstColumn = (item - head * blocks) * BLOCK;
      float[] state = new float[MOST_ROWS * BLOCK];
      float[] keys = new float[MOST_ROWS];
      float[] nextKeys = new float[MOST_ROWS];
      float[] queries = new float[MOST_ROWS];
      float[] changed = new float[BLOCK];
      float[] kept = new float[BLOCK];
      float[] values = new float[BLOCK];
      float[] residual = new float[BLOCK];
      float[] sums = new float[2 * BLOCK];
      float[] reads = new float[2 * BLOCK];
      int inState = head * keyWidth * width + firstColumn;
      for (int row = 0; row < keyWidth; row += BLOCK) {
        readRow(0, keysFrom + head * keyWidth + row, row, nextKeys);
      }
      fillSixteen(0f, 0, reads);
      fillSixteen(0f, BLOCK, reads);
      for (int row = 0; row < keyWidth; row++) {
        int to = row * BLOCK;
        float next = nextKeys[row];
        queries[row] = 0f;
        if (ofUnit == 1) {
          fillSixteen(0f, to, state);
          if (row >= firstColumn && row < firstColumn + BLOCK) {
            state[to + row - firstColumn] = 1f;
          }
        } else {
          readSixteen(inState + row * width, before, to, state);
        }
        addScaled(next, state, to, reads, 0);
      }
      fillSixteen(0f, 0, values);
      for (int token = 0; token < tokens; token++) {
        int index = token * heads + head;
        int nextIndex = min(token + 1, tokens - 1) * heads + head;
        for (int row = 0; row < keyWidth; row += BLOCK) {
          for (int i = 0; i < BLOCK; i++) {
            keys[row + i] = nextKeys[row + i];
          }
          readRow(0, keysFrom + nextIndex * keyWidth + row, row, nextKeys);
          if (ofUnit == 0) {
            readRow(0, index * keyWidth + row, row, queries);
          }
        }
        if (own == 1) {
          readRow(1, index * width + firstColumn, 0, values);
        }
        readDecays(index, 0, changed, kept);
        float change = changed[0];
        float rest = kept[0];
        float left = change + rest;
        float strength = betas[index];
        fillSixteen(0f, 0, residual);
        addScaled(1f, reads, 0, residual, 0);
        addScaled(1f, reads, BLOCK, residual, 0);
        fillSixteen(0f, 0, reads);
        addScaled(-left, residual, 0, reads, 0);
        fillSixteen(0f, 0, residual);
        addScaled(1f, values, 0, residual, 0);
        addScaled(1f, reads, 0, residual, 0);
        if (ofUnit == 0) {
          writeSixteen(residuals, index * width + firstColumn, residual, 0);
        }
        fillSixteen(0f, 0, reads);
        fillSixteen(0f, BLOCK, reads);
        fillSixteen(0f, 0, sums);
        fillSixteen(0f, BLOCK, sums);
        for (int row = 0; row < keyWidth; row += 2) {
          float written = strength * keys[row];
          float query = queries[row];
          float next = nextKeys[row];
          int to = row * BLOCK;
          decay(change, rest, state, to);
          addScaled(written, residual, 0, state, to);
          addScaled(query, state, to, sums, 0);
          addScaled(next, state, to, reads, 0);
          written = strength * keys[row + 1];
          query = queries[row + 1];
          next = nextKeys[row + 1];
          to = to + BLOCK;
          decay(change, rest, state, to);
          addScaled(written, residual, 0, state, to);
          addScaled(query, state, to, sums, BLOCK);
          addScaled(next, state, to, reads, BLOCK);
        }
        if (ofUnit == 0) {
          addScaled(1f, sums, BLOCK, sums, 0);
          writeRow(1, index * width + firstColumn, 0, sums);
        }
      }
      for (int row = 0; row < keyWidth; row++) {
        if (ofUnit == 1) {
          writeSixteen(transition, inState + row * width, state, row * BLOCK);
        } else {
          writeSixteen(passed, inState + row * width, state, row * BLOCK);
        }
      }
    }
  }

  /** Gradients of values, and what those of betas are summed from. */
  private void writeBack(int own, int item) {
    int blocks = valueWidth / BLOCK;
    int head = item / blocks;
    if (head < heads) {
      int block = item - head * blocks;
      int firstColumn = block * BLOCK;
      float[] state = new float[MOST_ROWS * BLOCK];
      float[] keys = new float[MOST_ROWS];
      float[] nextKeys = new float[MOST_ROWS];
      float[] queries = new float[MOST_ROWS];
      float[] changed = new float[BLOCK];
      float[] kept = new float[BLOCK];
      float[] gradients = new float[BLOCK];
      float[] residual = new float[BLOCK];
      float[] written = new float[2 * BLOCK];
      float[] pull = new float[BLOCK];
      float[] sums = new float[BLOCK];
      int inState = head * keyWidth * valueWidth + firstColumn;
      for (int row = 0; row < keyWidth; row++) {
        queries[row] = 0f;
        nextKeys[row] = 0f;
        readSixteen(inState + row * valueWidth, after, row * BLOCK, state);
      }
      fillSixteen(0f, 0, gradients);
      fillSixteen(0f, 0, changed);
      fillSixteen(1f, 0, kept);
      fillSixteen(0f, 0, pull);
      // Each step takes the gradient past one token and adds what the one before it gave.
      for (int token = tokens; token >= 0; token--) {
        int index = max(token - 1, 0) * heads + head;
        int isLast = 0;
        if (token == 0) {
          isLast = 1;
        }
        for (int row = 0; row < keyWidth; row += BLOCK) {
          for (int i = 0; i < BLOCK; i++) {
            keys[row + i] = nextKeys[row + i];
          }
          readRow(0, keysFrom + index * keyWidth + row, row, nextKeys);
          if (own == 1) {
            readRow(0, index * keyWidth + row, row, queries);
          }
        }
        if (own == 1) {
          readRow(1, gradientsFrom + index * valueWidth + firstColumn, 0, gradients);
        }
        if (isLast == 1) {
          fillSixteen(0f, 0, gradients);
        }
        float change = changed[0];
        float rest = kept[0];
        fillSixteen(0f, 0, written);
        fillSixteen(0f, BLOCK, written);
        for (int row = 0; row < keyWidth; row += 2) {
          float key = keys[row];
          float next = nextKeys[row];
          float query = queries[row];
          int to = row * BLOCK;
          decay(change, rest, state, to);
          addScaled(key, pull, 0, state, to);
          addScaled(query, gradients, 0, state, to);
          addScaled(next, state, to, written, 0);
          key = keys[row + 1];
          next = nextKeys[row + 1];
          query = queries[row + 1];
          to = to + BLOCK;
          decay(change, rest, state, to);
          addScaled(key, pull, 0, state, to);
          addScaled(query, gradients, 0, state, to);
          addScaled(next, state, to, written, BLOCK);
        }
        if (isLast == 0) {
          addScaled(1f, written, BLOCK, written, 0);
          readDecays(index, 0, changed, kept);
          float left = changed[0] + kept[0];
          float strength = betas[index];
          fillSixteen(0f, 0, sums);
          addScaled(strength, written, 0, sums, 0);
          writeRow(1, index * valueWidth + firstColumn, 0, sums);
          fillSixteen(0f, 0, pull);
          addScaled(-left, sums, 0, pull, 0);
          writeSixteen(pulls, index * valueWidth + firstColumn, pull, 0);
          readSixteen(index * valueWidth + firstColumn, residuals, 0, residual);
          fillSixteen(0f, 0, sums);
          addProducts(0, residual, 0, written, 0, sums);
          for (int others = BLOCK / 2; others > 0; others = others / 2) {
            for (int i = 0; i < others; i++) {
              sums[i] = sums[i] + sums[i + others];
            }
          }
          betaRows[block * tokens * heads + index] = sums[0];
        }
      }
      for (int row = 0; row < keyWidth; row++) {
        writeSixteen(passed, inState + row * valueWidth, state, row * BLOCK);
      }
    }
  }

  private void sumBetas(int at) {
    if (at < chunks) {
      int end = starts[at + 1] * heads;
      for (int index = starts[at] * heads; index < end; index++) {
        float sum = 0f;
        for (int block = 0; block < valueWidth / BLOCK; block++) {
          sum = sum + betaRows[block * tokens * heads + index];
        }
        betaOutputs[index] = sum;
      }
    }
  }
}
