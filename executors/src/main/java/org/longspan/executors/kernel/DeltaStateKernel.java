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
  private static final int HALF = 128;
  private static final int STATE_STRIDE = MOST_ROWS + 4;

  @Local final float[] left = new float[SLICE * STATE_STRIDE];
  @Local final float[] tile = new float[MOST_ROWS * STATE_COLUMNS + CHUNK];

  DeltaStateKernel(LinearRoom room) {
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

  /** A number of the state that a scan starts from; {@code off} the diagonal by how much. */
  private float start(int stage, int index, int off) {
    float number = 0f;
    if (stage == SCAN) {
      number = before[index];
    } else if (stage == SCAN_GRADIENT) {
      number = after[index];
    } else if (off == 0) {
      number = 1f;
    }
    return number;
  }

  /** What a chunk adds to a number of the state. */
  private float added(int stage, int own, int index) {
    float number = 0f;
    if (own == 1 && stage == SCAN) {
      number = states[index];
    }
    if (own == 1 && stage == SCAN_GRADIENT) {
      number = stateGradients[index];
    }
    return number;
  }

  private void keep(int stage, int index, float number) {
    if (stage == SCAN) {
      states[index] = number;
    } else if (stage == SCAN_GRADIENT) {
      stateGradients[index] = number;
    }
  }

  private void end(int stage, int index, float number) {
    if (stage == SCAN_TRANSITION) {
      transition[index] = number;
    } else {
      passed[index] = number;
    }
  }

  /**
   * A work-item has 4 × 4 numbers of the first {@value #HALF} rows of a state and as many of the
   * others, apart, so that all of them stay in registers.
   */
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
      int halfway = HALF * width;
      float[] upper = new float[16];
      float[] lower = new float[16];
      float[] next = new float[16];
      float[] nextLower = new float[16];
      float[] a = new float[4];
      float[] b = new float[4];
      for (int i = 0; i < 4; i++) {
        for (int j = 0; j < 4; j++) {
          int row = ty + 32 * i;
          int index = outer + 32 * i * width + j;
          upper[i * 4 + j] = 0f;
          lower[i * 4 + j] = 0f;
          if (row < keyWidth) {
            upper[i * 4 + j] = start(stage, index, column + j - row);
          }
          if (row + HALF < keyWidth) {
            lower[i * 4 + j] = start(stage, index + halfway, column + j - row - HALF);
          }
        }
      }
      for (int step = 0; step < chunks; step++) {
        int at = step;
        float kept = 1f - fresh[at];
        float keptAfter = 1f;
        if (stage == SCAN_GRADIENT) {
          at = chunks - 1 - step;
          kept = 1f;
          keptAfter = 1f - fresh[at];
        }
        int inner = ((at * heads + head) * keyWidth + ty) * width + column;
        for (int i = 0; i < 4; i++) {
          for (int j = 0; j < 4; j++) {
            int row = ty + 32 * i;
            int index = inner + 32 * i * width + j;
            if (row < keyWidth) {
              float number = kept * upper[i * 4 + j];
              upper[i * 4 + j] = added(stage, own, index);
              keep(stage, index, number);
              tile[row * STATE_COLUMNS + inTile + j] = number;
            }
            if (row + HALF < keyWidth) {
              float number = kept * lower[i * 4 + j];
              lower[i * 4 + j] = added(stage, own, index + halfway);
              keep(stage, index + halfway, number);
              tile[(row + HALF) * STATE_COLUMNS + inTile + j] = number;
            }
          }
        }
        int from = (at * heads + head) * keyWidth * keyWidth;
        for (int first = 0; first <= keyWidth; first += SLICE) {
          for (int i = 0; i < 16; i++) {
            int row = eighth + 16 * (i / 2);
            int index = from + row * keyWidth + first + inEighth + 8 * (i % 2);
            int toLower = HALF * keyWidth;
            if (stage == SCAN_GRADIENT) {
              row = lane;
              index = from + (first + i) * keyWidth + row;
              toLower = HALF;
            }
            next[i] = 0f;
            nextLower[i] = 0f;
            if (row < keyWidth && first < keyWidth) {
              next[i] = chunkTransitions[index];
            }
            if (row + HALF < keyWidth && first < keyWidth) {
              nextLower[i] = chunkTransitions[index + toLower];
            }
          }
          if (first > 0) {
            for (int k = 0; k < SLICE; k++) {
              int inState = (first - SLICE + k) * STATE_COLUMNS + inTile;
              for (int j = 0; j < 4; j++) {
                a[j] = left[k * STATE_STRIDE + ty + 32 * j];
                b[j] = tile[inState + j];
              }
              for (int i = 0; i < 4; i++) {
                for (int j = 0; j < 4; j++) {
                  upper[i * 4 + j] = fma(a[i], b[j], upper[i * 4 + j]);
                }
              }
            }
          }
          if (first > 0 && keyWidth > HALF) {
            for (int k = 0; k < SLICE; k++) {
              int inState = (first - SLICE + k) * STATE_COLUMNS + inTile;
              for (int j = 0; j < 4; j++) {
                a[j] = left[k * STATE_STRIDE + HALF + ty + 32 * j];
                b[j] = tile[inState + j];
              }
              for (int i = 0; i < 4; i++) {
                for (int j = 0; j < 4; j++) {
                  lower[i * 4 + j] = fma(a[i], b[j], lower[i * 4 + j]);
                }
              }
            }
          }
          localBarrier();
          for (int i = 0; i < 16; i++) {
            int to = (inEighth + 8 * (i % 2)) * STATE_STRIDE + eighth + 16 * (i / 2);
            if (stage == SCAN_GRADIENT) {
              to = i * STATE_STRIDE + lane;
            }
            left[to] = next[i];
            left[to + HALF] = nextLower[i];
          }
          localBarrier();
        }
        for (int i = 0; i < 16; i++) {
          upper[i] = keptAfter * upper[i];
          lower[i] = keptAfter * lower[i];
        }
      }
      for (int i = 0; i < 4; i++) {
        for (int j = 0; j < 4; j++) {
          int row = ty + 32 * i;
          int index = outer + 32 * i * width + j;
          if (row < keyWidth) {
            end(stage, index, upper[i * 4 + j]);
          }
          if (row + HALF < keyWidth) {
            end(stage, index + halfway, lower[i * 4 + j]);
          }
        }
      }
    }
  }
}
