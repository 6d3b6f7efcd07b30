package org.longspan.executors.kernel;

/**
 * The stages of a {@link DeltaKernel} that go along the tokens: the logs of gates are summed, and
 * states and their gradients taken from chunk to chunk, {@value #STATE_COLUMNS} columns of a head a
 * work-group, which holds them in local memory while the chunks' transitions go by in slices of
 * {@value #SLICE}.
 *
 * <p>The logs are summed as pairs of numbers, so that differences of two sums, however large, are
 * as good as a single number.
 */
abstract class DeltaStateKernel extends DeltaKernel {
  /** A weight of 1. */
  static final int ONE = 0;

  /** {@code b}: what is left at a token of the state before its chunk. */
  static final int RISE = 1;

  /** {@code γ/b}: what is left of a token after its chunk. */
  static final int FALL = 2;

  /** Added to a weight that is to be multiplied by β. */
  static final int BETA = 4;

  /** Added to a weight that is to be negated. */
  static final int NEGATIVE = 8;

  private static final int AT_ONCE = 16;
  private static final int MOST_ROWS = 256;
  private static final int STATE_STRIDE = MOST_ROWS + 4;

  @Local final float[] left = new float[SLICE * STATE_STRIDE];
  @Local final float[] tile = new float[MOST_ROWS * STATE_COLUMNS + CHUNK];

  DeltaStateKernel(DeltaRoom room) {
    super(room);
  }

  /**
   * @param index of a token and head
   * @param last of the last token of its chunk
   */
  final float weight(int kind, int index, int last) {
    float weight = 1f;
    int decay = kind % BETA;
    if (decay == RISE) {
      weight = exp(logs[index] + logRests[index]);
    }
    if (decay == FALL) {
      weight = exp((logs[last] - logs[index]) + (logRests[last] - logRests[index]));
    }
    if (kind / BETA % 2 == 1) {
      weight = weight * betas[index];
    }
    if (kind >= NEGATIVE) {
      weight = -weight;
    }
    return weight;
  }

  /** The gate before a document's first token counts for nothing, whatever it is. */
  final void sumLogs(int item) {
    int at = item / heads;
    if (at < chunks) {
      int head = item - at * heads;
      int end = starts[at + 1];
      int uncounted = starts[at] - 1 + fresh[at];
      float sum = 0f;
      float rest = 0f;
      float[] terms = new float[AT_ONCE];
      for (int first = starts[at]; first < end; first += AT_ONCE) {
        for (int i = 0; i < AT_ONCE; i++) {
          terms[i] = 0f;
          if (first + i < end && first + i != uncounted) {
            terms[i] = gates[(first + i) * heads + head];
          }
        }
        for (int i = 0; i < AT_ONCE; i++) {
          if (first + i < end) {
            int index = (first + i) * heads + head;
            float next = sum + terms[i];
            float part = next - sum;
            rest = rest + ((sum - (next - part)) + (terms[i] - part));
            sum = next;
            logs[index] = sum;
            logRests[index] = rest;
          }
        }
      }
    }
  }

  final void scan(int stage, int own, int group, int lane) {
    int width = valueWidth;
    if (stage == SCAN_TRANSITION) {
      width = keyWidth;
    }
    int blocks = width / STATE_COLUMNS;
    int head = group / blocks;
    if (head < heads) {
      int ty = lane / 4;
      int inTile = (lane - ty * 4) * 4;
      int column = (group - head * blocks) * STATE_COLUMNS + inTile;
      int eighth = lane / 8;
      int inEighth = lane - eighth * 8;
      int outer = (head * keyWidth + ty) * width + column;
      float[] state = new float[32];
      float[] next = new float[32];
      float[] a = new float[8];
      float[] b = new float[4];
      for (int i = 0; i < 8; i++) {
        int row = ty + 32 * i;
        for (int j = 0; j < 4; j++) {
          state[i * 4 + j] = 0f;
          if (row < keyWidth) {
            if (stage == SCAN) {
              state[i * 4 + j] = before[outer + 32 * i * width + j];
            } else if (stage == SCAN_GRADIENT) {
              state[i * 4 + j] = after[outer + 32 * i * width + j];
            } else if (row == column + j) {
              state[i * 4 + j] = 1f;
            }
          }
        }
      }
      for (int step = 0; step < chunks; step++) {
        int at = step;
        if (stage == SCAN_GRADIENT) {
          at = chunks - 1 - step;
        }
        float kept = 1f - fresh[at];
        int inner = ((at * heads + head) * keyWidth + ty) * width + column;
        for (int i = 0; i < 8; i++) {
          if (ty + 32 * i < keyWidth) {
            for (int j = 0; j < 4; j++) {
              int index = inner + 32 * i * width + j;
              float number = state[i * 4 + j];
              float added = 0f;
              if (stage == SCAN_GRADIENT) {
                if (own == 1) {
                  added = stateGradients[index];
                }
                stateGradients[index] = number;
              } else {
                number = kept * number;
                if (stage == SCAN) {
                  if (own == 1) {
                    added = states[index];
                  }
                  states[index] = number;
                }
              }
              tile[(ty + 32 * i) * STATE_COLUMNS + inTile + j] = number;
              state[i * 4 + j] = added;
            }
          }
        }
        int from = (at * heads + head) * keyWidth * keyWidth;
        for (int first = 0; first <= keyWidth; first += SLICE) {
          for (int i = 0; i < 32; i++) {
            int row = eighth + 16 * (i / 2);
            int index = from + row * keyWidth + first + inEighth + 8 * (i % 2);
            if (stage == SCAN_GRADIENT) {
              row = lane + GROUP * (i / SLICE);
              index = from + (first + i % SLICE) * keyWidth + row;
            }
            next[i] = 0f;
            if (row < keyWidth && first < keyWidth) {
              next[i] = chunkTransitions[index];
            }
          }
          if (first > 0) {
            for (int k = 0; k < SLICE; k++) {
              int inState = (first - SLICE + k) * STATE_COLUMNS + inTile;
              for (int j = 0; j < 4; j++) {
                b[j] = tile[inState + j];
              }
              for (int i = 0; i < 8; i++) {
                if (32 * i < keyWidth) {
                  a[i] = left[k * STATE_STRIDE + ty + 32 * i];
                  for (int j = 0; j < 4; j++) {
                    state[i * 4 + j] = fma(a[i], b[j], state[i * 4 + j]);
                  }
                }
              }
            }
          }
          localBarrier();
          for (int i = 0; i < 32; i++) {
            int to = (inEighth + 8 * (i % 2)) * STATE_STRIDE + eighth + 16 * (i / 2);
            if (stage == SCAN_GRADIENT) {
              to = i % SLICE * STATE_STRIDE + lane + GROUP * (i / SLICE);
            }
            left[to] = next[i];
          }
          localBarrier();
        }
        if (stage == SCAN_GRADIENT) {
          for (int i = 0; i < 32; i++) {
            state[i] = kept * state[i];
          }
        }
      }
      for (int i = 0; i < 8; i++) {
        if (ty + 32 * i < keyWidth) {
          for (int j = 0; j < 4; j++) {
            int index = outer + 32 * i * width + j;
            if (stage == SCAN_TRANSITION) {
              transition[index] = state[i * 4 + j];
            } else {
              passed[index] = state[i * 4 + j];
            }
          }
        }
      }
    }
  }
}
