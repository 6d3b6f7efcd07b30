package org.longspan.executors.kernel;

/**
 * Linear attention token by token, as a processor runs it: a work-item takes {@value #BLOCK}
 * columns of a head's state, or of its transpose, through all tokens, in memory of its own. Nothing
 * is shared, and nothing waits.
 *
 * <p>A decay is kept as one number of {@code decays}, {@code [tokens, heads, gates]}: above 0 it is
 * what is left of a state; otherwise what is added to all of it, so that a state that hardly decays
 * loses as little as that number says, and not what rounding it to a float next to 1 would. At a
 * document's start it is −1, and nothing is left.
 */
abstract class RowKernel extends LinearKernel {
  /** Tokens after which the state is kept for the gradients of gates, at most. */
  static final int CHUNK = 32;

  /** Columns that a work-item takes. */
  static final int BLOCK = 16;

  /** Numbers of a column at most. */
  static final int MOST_ROWS = 256;

  /** What gates and constants leave of a state. */
  static final int DECAYS = 0;

  /** Outputs, and the state after the slice. */
  static final int OUTPUTS = 1;

  /** What becomes of a state over the slice. */
  static final int TRANSITION = 2;

  /** Gradients of values, and of the state before the slice. */
  static final int VALUE_GRADIENTS = 3;

  /** Gradients of queries, and the states before all chunks. */
  static final int QUERY_GRADIENTS = 4;

  /** Gradients of keys, and parts of those of gates. */
  static final int KEY_GRADIENTS = 5;

  /** Gradients of gates that are a head's, and of betas. */
  static final int GATE_GRADIENTS = 6;

  /** Added to a stage that leaves the slice's own tokens out: what comes from outside alone. */
  static final int OUTSIDE = 16;

  /** A log whose decay is 0. */
  private static final float NOTHING_LEFT = -1000f;

  final float[] decays;

  RowKernel(LinearRoom room) {
    super(room);
    this.decays = new float[room.logNumbers()];
  }

  @Override
  final int groups() {
    return Math.max(chunks, heads * Math.max(keyWidth, valueWidth) / BLOCK);
  }

  /** One, so that processors' cores share the work-items. */
  @Override
  final int groupSize() {
    return 1;
  }

  /** Decays of sixteen logs, both registers. */
  @OpenCLMapping(
      mapTo =
          "\n#define FIND_DECAYS(at, logs, found) {"
              + SIXTEEN
              + " float16 logs_ = *(sixteen_ *) ((logs) + (at));"
              + " float16 left_ = exp(logs_);"
              + " left_ = select(left_, (float16) (-1.0f), left_ == 0.0f);"
              + " *(sixteen_ *) ((found) + (at)) ="
              + " select(left_, expm1(logs_), logs_ > -0.5f); }\nFIND_DECAYS")
  final void findDecays(int at, float[] logs, float[] found) {
    for (int i = 0; i < BLOCK; i++) {
      float left = exp(logs[at + i]);
      found[at + i] = left;
      if (left == 0f) {
        found[at + i] = -1f;
      }
      if (logs[at + i] > -0.5f) {
        found[at + i] = left - 1f;
      }
    }
  }

  /**
   * Sixteen of {@code decays} from {@code index} on, or that one for all where gates are a head's:
   * a state becomes {@code changed · S + kept · S}.
   */
  @OpenCLMapping(
      mapTo =
          "\n#define READ_DECAYS(index, to, changed, kept) {"
              + SIXTEEN
              + " float16 decays_ = (float16) (this->decays[index]);"
              + " if (this->gateWidth > 1) {"
              + " decays_ = *(const __global sixteen_ *) (this->decays + (index)); }"
              + " *(sixteen_ *) ((changed) + (to)) = decays_;"
              + " *(sixteen_ *) ((kept) + (to)) ="
              + " select((float16) (1.0f), (float16) (0.0f), decays_ > 0.0f); }\nREAD_DECAYS")
  final void readDecays(int index, int to, float[] changed, float[] kept) {
    int each = min(1, gateWidth / 2);
    for (int i = 0; i < BLOCK; i++) {
      changed[to + i] = decays[index + each * i];
      kept[to + i] = 1f;
      if (changed[to + i] > 0f) {
        kept[to + i] = 0f;
      }
    }
  }

  /** Sixteen registers of a state decay alike. */
  @OpenCLMapping(
      mapTo =
          "\n#define DECAY(change, rest, state, at) {"
              + SIXTEEN
              + " *(sixteen_ *) ((state) + (at)) = (change) * *(sixteen_ *) ((state) + (at))"
              + " + (rest) * *(sixteen_ *) ((state) + (at)); }\nDECAY")
  final void decay(float change, float rest, float[] state, int at) {
    for (int i = 0; i < BLOCK; i++) {
      state[at + i] = fma(change, state[at + i], rest * state[at + i]);
    }
  }

  /** Sixteen registers of a state decay each by its own. */
  @OpenCLMapping(
      mapTo =
          "\n#define DECAY_EACH(at, changed, kept, state) {"
              + SIXTEEN
              + " *(sixteen_ *) ((state) + (at)) ="
              + " *(sixteen_ *) (changed) * *(sixteen_ *) ((state) + (at))"
              + " + *(sixteen_ *) (kept) * *(sixteen_ *) ((state) + (at)); }\nDECAY_EACH")
  final void decayEach(int at, float[] changed, float[] kept, float[] state) {
    for (int i = 0; i < BLOCK; i++) {
      state[at + i] = fma(changed[i], state[at + i], kept[i] * state[at + i]);
    }
  }

  /**
   * The decays of a chunk's tokens. The gate before a document's first token counts for nothing.
   */
  final void findAllDecays(int at) {
    if (at < chunks) {
      int columns = heads * max(1, gateWidth);
      int first = starts[at] * columns;
      int counted = first + fresh[at] * columns;
      int end = starts[at + 1] * columns;
      float[] logs = new float[BLOCK];
      float[] found = new float[BLOCK];
      for (int index = first; index < end; index += BLOCK) {
        int count = min(BLOCK, end - index);
        fillSixteen(NOTHING_LEFT, 0, logs);
        for (int i = 0; i < count; i++) {
          if (index + i >= counted) {
            if (gateWidth == 0) {
              logs[i] = -slopes[(index + i) % columns];
            } else {
              logs[i] = gates[index + i];
            }
          }
        }
        findDecays(0, logs, found);
        for (int i = 0; i < count; i++) {
          decays[index + i] = found[i];
        }
      }
    }
  }
}
