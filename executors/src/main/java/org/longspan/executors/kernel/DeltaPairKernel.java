package org.longspan.executors.kernel;

/**
 * The stages of a {@link DeltaKernel} that pair the tokens of a chunk: a work-group takes a chunk
 * of a head, a work-item 8 × 4 of its pairs in registers, while rows go through local memory in
 * slices of {@value #SLICE}.
 *
 * <p>The gradient of a gate is the sum of what crosses it, each as much as it gives to the loss, as
 * {@link FloatDeltaGateGradient} says.
 */
abstract class DeltaPairKernel extends DeltaStateKernel {
  static final int ROW_STRIDE = CHUNK + 4;

  private static final int PAIR_STRIDE = CHUNK + 1;

  @Local final float[] right = new float[SLICE * 132];
  @Local final float[] strengths = new float[CHUNK];
  @Local final float[] high = new float[CHUNK];
  @Local final float[] low = new float[CHUNK];

  DeltaPairKernel(LinearRoom room) {
    super(room);
  }

  private float readRow(int stage, int index) {
    float number = 0f;
    if (stage == SCORE_GRADIENTS) {
      number = value(index);
    } else if (stage == CORRELATION_GRADIENTS) {
      number = solvedValues[index];
    } else {
      number = key(index);
    }
    return number;
  }

  private float readOther(int stage, int index) {
    float number = 0f;
    if (stage == SCORE_GRADIENTS || stage == CORRELATION_GRADIENTS) {
      number = solvedValues[index];
    } else {
      number = key(index);
    }
    return number;
  }

  final void pair(int stage, int group, int lane) {
    int at = group / heads;
    if (at < chunks) {
      int head = group - at * heads;
      int start = starts[at];
      int length = starts[at + 1] - start;
      int width = keyWidth;
      int x = 0;
      int y = keysFrom;
      if (stage == CORRELATE) {
        x = keysFrom;
      }
      if (stage == SCORE_GRADIENTS || stage == CORRELATION_GRADIENTS) {
        width = valueWidth;
        x = gradientsFrom;
        y = 0;
      }
      int stride = heads * width;
      x = x + (start * heads + head) * width;
      y = y + (start * heads + head) * width;
      int pairStride = heads * CHUNK;
      int pairAt = (start * heads + head) * CHUNK;
      int ty = lane / 16;
      int tx = lane - ty * 16;
      int eighth = lane / 8;
      int inEighth = lane - eighth * 8;
      if (lane < CHUNK) {
        high[lane] = 0f;
        low[lane] = 0f;
        strengths[lane] = 0f;
        if (lane < length) {
          int index = (start + lane) * heads + head;
          high[lane] = logs[index];
          low[lane] = logRests[index];
          strengths[lane] = betas[index];
        }
      }
      float[] scores = new float[32];
      float[] nextLeft = new float[8];
      float[] nextRight = new float[8];
      float[] a = new float[8];
      float[] b = new float[4];
      for (int i = 0; i < 32; i++) {
        scores[i] = 0f;
      }
      for (int first = 0; first <= width; first += SLICE) {
        for (int i = 0; i < 8; i++) {
          int row = eighth + 16 * (i / 2);
          int from = row * stride + first + inEighth + 8 * (i % 2);
          nextLeft[i] = 0f;
          nextRight[i] = 0f;
          if (row < length && first < width) {
            nextLeft[i] = readRow(stage, x + from);
            nextRight[i] = readOther(stage, y + from);
          }
        }
        if (first > 0) {
          for (int k = 0; k < SLICE; k++) {
            for (int i = 0; i < 8; i++) {
              a[i] = left[k * ROW_STRIDE + ty * 8 + i];
            }
            for (int j = 0; j < 4; j++) {
              b[j] = right[k * ROW_STRIDE + tx + 16 * j];
            }
            for (int i = 0; i < 8; i++) {
              for (int j = 0; j < 4; j++) {
                scores[i * 4 + j] = fma(a[i], b[j], scores[i * 4 + j]);
              }
            }
          }
        }
        localBarrier();
        for (int i = 0; i < 8; i++) {
          int to = (inEighth + 8 * (i % 2)) * ROW_STRIDE + eighth + 16 * (i / 2);
          left[to] = nextLeft[i];
          right[to] = nextRight[i];
        }
        localBarrier();
      }
      for (int i = 0; i < 8; i++) {
        int row = ty * 8 + i;
        for (int j = 0; j < 4; j++) {
          int other = tx + 16 * j;
          int index = pairAt + row * pairStride + other;
          float crossing = 0f;
          if (row < length && other < length) {
            float decay = 0f;
            if (other <= row) {
              decay = exp((high[row] - high[other]) + (low[row] - low[other]));
            }
            if (stage == CORRELATE && other < row) {
              crossing = -decay * scores[i * 4 + j];
            }
            if (stage == SCORES) {
              pairs[pairsFrom + index] = decay * scores[i * 4 + j];
            }
            if (stage == SCORE_GRADIENTS) {
              float product = strengths[other] * scores[i * 4 + j];
              pairs[2 * pairsFrom + index] = decay * product;
              if (other < row) {
                crossing = pairs[pairsFrom + index] * product;
              }
            }
            if (stage == CORRELATION_GRADIENTS && other <= row) {
              float product = 0f;
              if (other < row) {
                product = strengths[row] * (strengths[other] * scores[i * 4 + j]);
                crossing = pairs[index] * product;
              }
              pairs[3 * pairsFrom + index] = -decay * product;
              pairs[3 * pairsFrom + pairAt + other * pairStride + row] = -decay * product;
            }
          }
          tile[row * PAIR_STRIDE + other] = crossing;
        }
      }
      localBarrier();
      if (lane < length) {
        if (stage == CORRELATE) {
          solveColumn(length, lane);
        } else {
          sumColumn(length, lane);
        }
      }
      localBarrier();
      if (stage == CORRELATE) {
        int other = lane % CHUNK;
        for (int row = lane / CHUNK; row < length; row += 2) {
          if (other < length) {
            pairs[pairAt + row * pairStride + other] = tile[row * PAIR_STRIDE + other];
          }
        }
      } else if (stage != SCORES && lane < length) {
        float sum = 0f;
        for (int other = 0; other < lane; other++) {
          sum = sum + tile[lane * PAIR_STRIDE + other];
        }
        int rows = QUERY_CROSSINGS_ROW;
        if (stage == CORRELATION_GRADIENTS) {
          rows = KEY_CROSSINGS_ROW;
        }
        gateRows[(rows * tokens + start + lane) * heads + head] = sum;
      }
    }
  }

  /** A column of X from L, into the row of the same number, right of the diagonal. */
  private void solveColumn(int length, int column) {
    int across = column * PAIR_STRIDE;
    for (int row = column + 1; row < length; row++) {
      float sum = tile[row * PAIR_STRIDE + column];
      for (int k = column + 1; k < row; k++) {
        sum = fma(tile[row * PAIR_STRIDE + k] * strengths[k], tile[across + k], sum);
      }
      tile[across + row] = sum;
    }
  }

  /** Sums a column from its end up to each row. */
  private void sumColumn(int length, int column) {
    float sum = 0f;
    for (int row = length - 1; row > column; row--) {
      sum = sum + tile[row * PAIR_STRIDE + column];
      tile[row * PAIR_STRIDE + column] = sum;
    }
  }

  /** Sums for each gate of a chunk what crosses it. */
  final void sumCrossings(int own, int group, int lane) {
    int at = group / heads;
    if (at < chunks) {
      int head = group - at * heads;
      int start = starts[at];
      int length = starts[at + 1] - start;
      int perHead = keyWidth * valueWidth;
      int from = (at * heads + head) * perHead;
      int rows = tokens * heads;
      float sum = 0f;
      for (int i = lane; i < perHead; i += GROUP) {
        sum = fma(states[from + i], stateGradients[from + i], sum);
      }
      left[lane] = sum;
      if (lane < length) {
        int index = (start + lane) * heads + head;
        float reads = gateRows[KEY_READS_ROW * rows + index];
        if (own == 1) {
          reads = reads + gateRows[QUERY_READS_ROW * rows + index];
        }
        high[lane] = reads;
        low[lane] = gateRows[KEPT_ROW * rows + index];
      }
      localBarrier();
      if (lane < length) {
        int index = (start + lane) * heads + head;
        int last = (start + length - 1) * heads + head;
        float through = 0f;
        for (int i = 0; i < GROUP; i++) {
          through = through + left[i];
        }
        float kept = 0f;
        for (int token = 0; token < lane; token++) {
          kept = kept + low[token];
        }
        float reads = 0f;
        for (int token = length - 1; token >= lane; token--) {
          reads = reads + high[token];
        }
        float crossing = gateRows[KEY_CROSSINGS_ROW * rows + index];
        if (own == 1) {
          crossing = crossing + gateRows[QUERY_CROSSINGS_ROW * rows + index];
        }
        gateOutputs[index] = crossing + kept + reads + weight(RISE, last, last) * through;
      }
    }
  }
}
