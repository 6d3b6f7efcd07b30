package org.longspan.executors.kernel;

/**
 * Linear attention with decays by rows, translated by Aparapi from this class's bytecode, with the
 * stages of {@link RowKernel} whose work-items take {@value #BLOCK} columns of values, so that
 * their state is {@code [keyWidth,} {@value #BLOCK}{@code ]}.
 */
final class LinearRowKernel extends KeyRowKernel {
  LinearRowKernel(LinearRoom room) {
    super(room);
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
      walkValues(0, own, getGlobalId());
    } else if (stage == VALUE_GRADIENTS) {
      walkValues(1, own, getGlobalId());
    } else if (stage == QUERY_GRADIENTS) {
      walkKeys(0, own, getGlobalId());
    } else if (stage == GATE_GRADIENTS) {
      sumGates(getGlobalId());
    } else if (gateWidth == 0) {
      walkKeys(1, own, getGlobalId());
    } else {
      walkGates(own, getGlobalId());
    }
  }

  /** Outputs; and backward through the tokens the gradients of values. */
  private void walkValues(int reverse, int own, int item) {
    int blocks = valueWidth / BLOCK;
    int head = item / blocks;
    if (head < heads) {
      int firstColumn = (item - head * blocks) * BLOCK;
      float[] state = new float[MOST_ROWS * BLOCK];
      float[] added = new float[MOST_ROWS];
      float[] seen = new float[MOST_ROWS];
      float[] changed = new float[MOST_ROWS];
      float[] kept = new float[MOST_ROWS];
      float[] lanes = new float[BLOCK];
      float[] sums = new float[2 * BLOCK];
      int addedFrom = (1 - reverse) * keysFrom;
      int seenFrom = reverse * keysFrom;
      int lanesFrom = reverse * gradientsFrom;
      int inState = head * keyWidth * valueWidth + firstColumn;
      for (int row = 0; row < keyWidth; row++) {
        added[row] = 0f;
        changed[row] = 0f;
        kept[row] = 1f;
        if (reverse == 1) {
          readSixteen(inState + row * valueWidth, after, row * BLOCK, state);
        } else {
          readSixteen(inState + row * valueWidth, before, row * BLOCK, state);
        }
      }
      fillSixteen(0f, 0, lanes);
      int each = min(1, gateWidth / 2);
      int gateRowsOfToken = 1 + each * (keyWidth - 1);
      // Once more after the last token: what is left of the gradient before the first one.
      for (int step = 0; step < tokens + reverse; step++) {
        int token = step + reverse * (tokens - 1 - 2 * step);
        if (token + reverse < tokens) {
          for (int row = 0; row < gateRowsOfToken; row += BLOCK) {
            int decay = decayAt(token + reverse, head, row);
            readDecays(decay, row, changed, kept);
          }
        }
        if (token < 0) {
          for (int row = 0; row < keyWidth; row++) {
            float change = changed[each * row];
            float rest = kept[each * row];
            decay(change, rest, state, row * BLOCK);
          }
        } else {
          int key = (token * heads + head) * keyWidth;
          int value = (token * heads + head) * valueWidth + firstColumn;
          if (own == 1) {
            readRow(1, lanesFrom + value, 0, lanes);
            for (int row = 0; row < keyWidth; row += BLOCK) {
              readRow(0, addedFrom + key + row, row, added);
            }
          }
          for (int row = 0; row < keyWidth; row += BLOCK) {
            readRow(0, seenFrom + key + row, row, seen);
          }
          fillSixteen(0f, 0, sums);
          fillSixteen(0f, BLOCK, sums);
          for (int row = 0; row < keyWidth; row += 2) {
            float change = changed[each * row];
            float rest = kept[each * row];
            float one = added[row];
            float seenOne = seen[row];
            int to = row * BLOCK;
            decay(change, rest, state, to);
            addScaled(one, lanes, 0, state, to);
            addScaled(seenOne, state, to, sums, 0);
            change = changed[each * row + each];
            rest = kept[each * row + each];
            one = added[row + 1];
            seenOne = seen[row + 1];
            to = to + BLOCK;
            decay(change, rest, state, to);
            addScaled(one, lanes, 0, state, to);
            addScaled(seenOne, state, to, sums, BLOCK);
          }
          addScaled(1f, sums, BLOCK, sums, 0);
          writeRow(1, value, 0, sums);
        }
      }
      for (int row = 0; row < keyWidth; row++) {
        writeSixteen(passed, inState + row * valueWidth, state, row * BLOCK);
      }
    }
  }
}
