package org.longspan.executors.kernel;

/**
 * Linear attention whose state decays by one factor for each head, constant or with a gate for each
 * token, as a GPU runs it, translated by Aparapi from this class's bytecode.
 *
 * <p>A work-group of {@value #GROUP} takes a tile of {@value #CHUNK} × {@value #COLUMNS} of a
 * product, a work-item 8 × 8 of it in registers; factors go through local memory in slices of
 * {@value #SLICE}. Outputs and the gradients of queries, keys and values are one computation with
 * its inputs' roles exchanged: {@code X T + (X Yᵀ ⊙ decays) Z} with the state or its gradient
 * {@code T}.
 *
 * <p>The logs of the gates are summed as pairs of numbers, so that differences of two sums, however
 * large, are as good as a single number.
 */
final class HeadDecayKernel extends LinearKernel {
  private static final int COLUMNS = 128;
  private static final int SLICE = 16;
  private static final int AT_ONCE = 16;
  private static final int ROW_STRIDE = CHUNK + 4;
  private static final int COLUMN_STRIDE = COLUMNS + 4;

  @Local private final float[] left = new float[SLICE * ROW_STRIDE];
  @Local private final float[] right = new float[SLICE * COLUMN_STRIDE];
  @Local private final float[] pairs = new float[CHUNK * ROW_STRIDE];
  @Local private final float[] high = new float[CHUNK];
  @Local private final float[] low = new float[CHUNK];
  @Local private final float[] weights = new float[CHUNK];
  @Local private final float[] diagonal = new float[CHUNK];

  HeadDecayKernel(LinearRoom room) {
    super(room);
  }

  @Override
  int groups() {
    int summaries =
        chunks * heads * ((keyWidth + CHUNK - 1) / CHUNK) * ((valueWidth + COLUMNS - 1) / COLUMNS);
    int elements = (heads * keyWidth * valueWidth + GROUP - 1) / GROUP;
    return Math.max(Math.max(summaries, chunks * heads), elements);
  }

  @Override
  public void run() {
    int stage = stages[getPassId()];
    int own = 1;
    if (stage >= OUTSIDE) {
      own = 0;
      stage = stage - OUTSIDE;
    }
    if (stage == SUM_LOGS) {
      sumLogs(getGlobalId());
    } else if (stage == SUMMARIZE) {
      summarize(0, getGroupId(), getLocalId());
    } else if (stage == SUMMARIZE_GRADIENT) {
      summarize(1, getGroupId(), getLocalId());
    } else if (stage == SCAN) {
      scan(own, getGlobalId());
    } else if (stage == SCAN_GRADIENT) {
      scanGradient(own, getGlobalId());
    } else if (stage == GATE_GRADIENTS) {
      gateGradients(own, getGroupId(), getLocalId());
    } else {
      attend(stage, own, getGroupId(), getLocalId());
    }
  }

  /** The log of the decay over a chunk's tokens up to its one at {@code place}. */
  private float log(int start, int place, int head) {
    float log = -slopes[head] * (place + 1f);
    if (gateWidth == 1) {
      log = logs[(start + place) * heads + head];
    }
    return log;
  }

  /** What {@link #log} leaves out. */
  private float logRest(int start, int place, int head) {
    float rest = fma(-slopes[head], place + 1f, slopes[head] * (place + 1f));
    if (gateWidth == 1) {
      rest = logRests[(start + place) * heads + head];
    }
    return rest;
  }

  private void sumLogs(int item) {
    int at = item / heads;
    if (at < chunks) {
      int head = item - at * heads;
      int end = starts[at + 1];
      float sum = 0f;
      float rest = 0f;
      float[] terms = new float[AT_ONCE];
      for (int first = starts[at]; first < end; first += AT_ONCE) {
        for (int i = 0; i < AT_ONCE; i++) {
          terms[i] = 0f;
          if (first + i < end) {
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
      factors[item] = exp(sum + rest);
    }
  }

  // What the next chunks need is read before anything is written: a read waits for the writes
  // before it.
  private void scan(int own, int item) {
    int perHead = keyWidth * valueWidth;
    int size = heads * perHead;
    if (item < size) {
      int head = item / perHead;
      float state = before[item];
      float[] added = new float[AT_ONCE];
      float[] decays = new float[AT_ONCE];
      float[] kept = new float[AT_ONCE];
      for (int first = 0; first < chunks; first += AT_ONCE) {
        for (int i = 0; i < AT_ONCE; i++) {
          int at = min(first + i, chunks - 1);
          decays[i] = factors[at * heads + head];
          kept[i] = 1f - fresh[at];
          added[i] = 0f;
          if (own == 1) {
            added[i] = states[at * size + item];
          }
        }
        for (int i = 0; i < AT_ONCE; i++) {
          if (first + i < chunks) {
            state = kept[i] * state;
            states[(first + i) * size + item] = state;
            state = fma(state, decays[i], added[i]);
          }
        }
      }
      states[chunks * size + item] = state;
      passed[item] = state;
    }
  }

  private void scanGradient(int own, int item) {
    int perHead = keyWidth * valueWidth;
    int size = heads * perHead;
    if (item < size) {
      int head = item / perHead;
      float state = after[item];
      float[] added = new float[AT_ONCE];
      float[] decays = new float[AT_ONCE];
      float[] kept = new float[AT_ONCE];
      for (int last = chunks - 1; last >= 0; last -= AT_ONCE) {
        for (int i = 0; i < AT_ONCE; i++) {
          int at = max(last - i, 0);
          decays[i] = factors[at * heads + head];
          kept[i] = 1f - fresh[at];
          added[i] = 0f;
          if (own == 1) {
            added[i] = stateGradients[at * size + item];
          }
        }
        for (int i = 0; i < AT_ONCE; i++) {
          if (last - i >= 0) {
            stateGradients[(last - i) * size + item] = state;
            state = kept[i] * fma(state, decays[i], added[i]);
          }
        }
      }
      passed[item] = state;
    }
  }

  private void summarize(int gradient, int group, int lane) {
    int rowTiles = (keyWidth + CHUNK - 1) / CHUNK;
    int columnTiles = (valueWidth + COLUMNS - 1) / COLUMNS;
    int perChunk = heads * rowTiles * columnTiles;
    int at = group / perChunk;
    if (at < chunks) {
      int rest = group - at * perChunk;
      int head = rest / (rowTiles * columnTiles);
      rest = rest - head * rowTiles * columnTiles;
      int firstRow = (rest / columnTiles) * CHUNK;
      int firstColumn = (rest - (rest / columnTiles) * columnTiles) * COLUMNS;
      int start = starts[at];
      int length = starts[at + 1] - start;
      int keyFrom = (1 - gradient) * keysFrom;
      int valueFrom = gradient * gradientsFrom;
      if (lane < CHUNK) {
        float weight = 0f;
        if (lane < length) {
          float log = log(start, lane, head);
          float logLeft = logRest(start, lane, head);
          if (gradient == 1) {
            weight = exp(log + logLeft);
          } else {
            weight =
                exp(
                    (log(start, length - 1, head) - log)
                        + (logRest(start, length - 1, head) - logLeft));
          }
        }
        weights[lane] = weight;
      }
      int ty = lane / 16;
      int tx = lane - ty * 16;
      float[] sums = new float[64];
      float[] a = new float[8];
      float[] b = new float[8];
      for (int i = 0; i < 64; i++) {
        sums[i] = 0f;
      }
      float[] nextLeft = new float[8];
      float[] nextRight = new float[16];
      int inRow = lane % CHUNK;
      int inSlice = lane / CHUNK;
      int leftFrom = keyFrom + (start * heads + head) * keyWidth + firstRow + inRow;
      int rightFrom = valueFrom + (start * heads + head) * valueWidth + firstColumn + lane;
      localBarrier();
      for (int first = 0; first < length + SLICE; first += SLICE) {
        for (int i = 0; i < 8; i++) {
          int token = first + 2 * i + inSlice;
          nextLeft[i] = 0f;
          if (token < length && firstRow + inRow < keyWidth) {
            nextLeft[i] = keySide[leftFrom + token * heads * keyWidth];
          }
        }
        for (int i = 0; i < SLICE; i++) {
          nextRight[i] = 0f;
          if (first + i < length && firstColumn + lane < valueWidth) {
            nextRight[i] = valueSide[rightFrom + (first + i) * heads * valueWidth];
          }
        }
        if (first > 0) {
          for (int k = 0; k < SLICE; k++) {
            for (int i = 0; i < 8; i++) {
              a[i] = left[k * ROW_STRIDE + ty * 8 + i];
            }
            for (int j = 0; j < 8; j++) {
              b[j] = right[k * COLUMN_STRIDE + tx + 16 * j];
            }
            for (int i = 0; i < 8; i++) {
              for (int j = 0; j < 8; j++) {
                sums[i * 8 + j] = fma(a[i], b[j], sums[i * 8 + j]);
              }
            }
          }
        }
        localBarrier();
        for (int i = 0; i < 8; i++) {
          int token = first + 2 * i + inSlice;
          float weight = 0f;
          if (token < length) {
            weight = weights[token];
          }
          left[(2 * i + inSlice) * ROW_STRIDE + inRow] = weight * nextLeft[i];
        }
        for (int i = 0; i < SLICE; i++) {
          right[i * COLUMN_STRIDE + lane] = nextRight[i];
        }
        localBarrier();
      }
      int base = (at * heads + head) * keyWidth * valueWidth;
      for (int i = 0; i < 8; i++) {
        int row = firstRow + ty * 8 + i;
        for (int j = 0; j < 8; j++) {
          int column = firstColumn + tx + 16 * j;
          if (row < keyWidth && column < valueWidth) {
            int index = base + row * valueWidth + column;
            if (gradient == 1) {
              stateGradients[index] = sums[i * 8 + j];
            } else {
              states[index] = sums[i * 8 + j];
            }
          }
        }
      }
    }
  }

  private float read(int side, int index) {
    float number = 0f;
    if (side == 0) {
      number = keySide[index];
    } else {
      number = valueSide[index];
    }
    return number;
  }

  private float readState(int reverse, int index) {
    float number = 0f;
    if (reverse == 0) {
      number = states[index];
    } else {
      number = stateGradients[index];
    }
    return number;
  }

  private void attend(int stage, int own, int group, int lane) {
    int at = group / heads;
    if (at < chunks) {
      int head = group - at * heads;
      int start = starts[at];
      int length = starts[at + 1] - start;
      int reverse = 0;
      if (stage == KEY_GRADIENTS || stage == VALUE_GRADIENTS) {
        reverse = 1;
      }
      int pairSide = 0;
      int pairWidth = keyWidth;
      int sumSide = 1;
      int sumWidth = valueWidth;
      if (stage == QUERY_GRADIENTS || stage == KEY_GRADIENTS) {
        pairSide = 1;
        pairWidth = valueWidth;
        sumSide = 0;
        sumWidth = keyWidth;
      }
      int x = 0;
      int y = keysFrom;
      int z = 0;
      if (stage == QUERY_GRADIENTS) {
        x = gradientsFrom;
        y = 0;
        z = keysFrom;
      }
      if (stage == KEY_GRADIENTS) {
        y = gradientsFrom;
      }
      if (stage == VALUE_GRADIENTS) {
        x = keysFrom;
        y = 0;
        z = gradientsFrom;
      }
      int pairStride = heads * pairWidth;
      int sumStride = heads * sumWidth;
      x = x + start * pairStride + head * pairWidth;
      y = y + start * pairStride + head * pairWidth;
      z = z + start * sumStride + head * sumWidth;
      int gateSide = start * sumStride + head * sumWidth;
      int gateRowsFrom = 0;
      if (stage == KEY_GRADIENTS) {
        gateSide = gateSide + keysFrom;
        gateRowsFrom = tokens * heads;
      }
      int apart = 0;
      if (gateWidth == 1 && sumSide == 0) {
        apart = 1;
      }
      int ty = lane / 16;
      int tx = lane - ty * 16;
      int eighth = lane / 8;
      int inEighth = lane - eighth * 8;
      if (lane < CHUNK) {
        float log = 0f;
        float rest = 0f;
        if (lane < length) {
          log = log(start, lane, head);
          rest = logRest(start, lane, head);
        }
        high[lane] = log;
        low[lane] = rest;
        float weight = exp(log + rest);
        if (reverse == 1) {
          weight =
              exp((log(start, length - 1, head) - log) + (logRest(start, length - 1, head) - rest));
        }
        weights[lane] = weight;
        diagonal[lane] = 0f;
      }
      localBarrier();
      float[] a = new float[8];
      float[] nextLeft = new float[8];
      float[] nextRight = new float[16];
      if (own == 1) {
        float[] scores = new float[32];
        float[] c = new float[4];
        for (int i = 0; i < 32; i++) {
          scores[i] = 0f;
        }
        for (int first = 0; first <= pairWidth; first += SLICE) {
          for (int i = 0; i < 8; i++) {
            int row = eighth + 16 * (i / 2);
            int k = first + inEighth + 8 * (i % 2);
            nextLeft[i] = 0f;
            nextRight[i] = 0f;
            if (row < length && first < pairWidth) {
              nextLeft[i] = read(pairSide, x + row * pairStride + k);
              nextRight[i] = read(pairSide, y + row * pairStride + k);
            }
          }
          if (first > 0) {
            for (int k = 0; k < SLICE; k++) {
              for (int i = 0; i < 8; i++) {
                a[i] = left[k * ROW_STRIDE + ty * 8 + i];
              }
              for (int j = 0; j < 4; j++) {
                c[j] = right[k * ROW_STRIDE + tx + 16 * j];
              }
              for (int i = 0; i < 8; i++) {
                for (int j = 0; j < 4; j++) {
                  scores[i * 4 + j] = fma(a[i], c[j], scores[i * 4 + j]);
                }
              }
            }
          }
          localBarrier();
          for (int i = 0; i < 8; i++) {
            int row = eighth + 16 * (i / 2);
            int k = inEighth + 8 * (i % 2);
            left[k * ROW_STRIDE + row] = nextLeft[i];
            right[k * ROW_STRIDE + row] = nextRight[i];
          }
          localBarrier();
        }
        for (int i = 0; i < 8; i++) {
          int row = ty * 8 + i;
          for (int j = 0; j < 4; j++) {
            int other = tx + 16 * j;
            float score = 0f;
            if (other == row) {
              diagonal[row] = scores[i * 4 + j];
            }
            if (reverse == 0 && other + apart <= row) {
              score = scores[i * 4 + j] * exp((high[row] - high[other]) + (low[row] - low[other]));
            }
            if (reverse == 1 && other >= row + apart && other < length) {
              score = scores[i * 4 + j] * exp((high[other] - high[row]) + (low[other] - low[row]));
            }
            pairs[other * ROW_STRIDE + row] = score;
          }
        }
      }
      int state = (at * heads + head) * keyWidth * valueWidth;
      float[] b = new float[8];
      float[] sums = new float[64];
      float[] dots = new float[8];
      // A work-item's eight rows share their slice with its neighbours' eight.
      int lowest = 0;
      int highest = ty / 2 * 16;
      if (reverse == 1) {
        lowest = highest;
        highest = CHUNK;
      }
      for (int i = 0; i < 8; i++) {
        dots[i] = 0f;
      }
      for (int firstColumn = 0; firstColumn < sumWidth; firstColumn += COLUMNS) {
        for (int i = 0; i < 64; i++) {
          sums[i] = 0f;
        }
        for (int first = 0; first <= pairWidth; first += SLICE) {
          for (int i = 0; i < 8; i++) {
            int row = eighth + 16 * (i / 2);
            nextLeft[i] = 0f;
            if (row < length && first < pairWidth) {
              nextLeft[i] = read(pairSide, x + row * pairStride + first + inEighth + 8 * (i % 2));
            }
          }
          if (pairSide == 0) {
            for (int k = 0; k < SLICE; k++) {
              nextRight[k] = 0f;
              if (firstColumn + lane < sumWidth && first < pairWidth) {
                nextRight[k] =
                    readState(reverse, state + (first + k) * valueWidth + firstColumn + lane);
              }
            }
          } else {
            for (int i = 0; i < 16; i++) {
              int column = firstColumn + eighth + 16 * (i / 2);
              nextRight[i] = 0f;
              if (column < sumWidth && first < pairWidth) {
                nextRight[i] =
                    readState(
                        reverse, state + column * valueWidth + first + inEighth + 8 * (i % 2));
              }
            }
          }
          if (first > 0) {
            for (int k = 0; k < SLICE; k++) {
              for (int i = 0; i < 8; i++) {
                a[i] = left[k * ROW_STRIDE + ty * 8 + i];
              }
              for (int j = 0; j < 8; j++) {
                b[j] = right[k * COLUMN_STRIDE + tx + 16 * j];
              }
              for (int i = 0; i < 8; i++) {
                for (int j = 0; j < 8; j++) {
                  sums[i * 8 + j] = fma(a[i], b[j], sums[i * 8 + j]);
                }
              }
            }
          }
          localBarrier();
          for (int i = 0; i < 8; i++) {
            left[(inEighth + 8 * (i % 2)) * ROW_STRIDE + eighth + 16 * (i / 2)] = nextLeft[i];
          }
          for (int i = 0; i < 16; i++) {
            int to = i * COLUMN_STRIDE + lane;
            if (pairSide == 1) {
              to = (inEighth + 8 * (i % 2)) * COLUMN_STRIDE + eighth + 16 * (i / 2);
            }
            right[to] = nextRight[i];
          }
          localBarrier();
        }
        for (int i = 0; i < 8; i++) {
          float weight = weights[ty * 8 + i];
          for (int j = 0; j < 8; j++) {
            sums[i * 8 + j] = weight * sums[i * 8 + j];
          }
        }
        if (own == 1) {
          for (int first = 0; first < length + SLICE; first += SLICE) {
            for (int k = 0; k < SLICE; k++) {
              nextRight[k] = 0f;
              if (first + k < length && firstColumn + lane < sumWidth) {
                nextRight[k] = read(sumSide, z + (first + k) * sumStride + firstColumn + lane);
              }
            }
            int done = first - SLICE;
            if (done >= lowest && done <= highest) {
              for (int k = 0; k < SLICE; k++) {
                for (int i = 0; i < 8; i++) {
                  a[i] = pairs[(done + k) * ROW_STRIDE + ty * 8 + i];
                }
                for (int j = 0; j < 8; j++) {
                  b[j] = right[k * COLUMN_STRIDE + tx + 16 * j];
                }
                for (int i = 0; i < 8; i++) {
                  for (int j = 0; j < 8; j++) {
                    sums[i * 8 + j] = fma(a[i], b[j], sums[i * 8 + j]);
                  }
                }
              }
            }
            localBarrier();
            for (int k = 0; k < SLICE; k++) {
              right[k * COLUMN_STRIDE + lane] = nextRight[k];
            }
            localBarrier();
          }
        }
        if (apart == 1) {
          for (int i = 0; i < 8; i++) {
            int row = ty * 8 + i;
            if (row < length) {
              for (int j = 0; j < 8; j++) {
                int column = firstColumn + tx + 16 * j;
                if (column < sumWidth) {
                  float across = keySide[z + row * sumStride + column];
                  float along = keySide[gateSide + row * sumStride + column];
                  dots[i] = fma(sums[i * 8 + j], along, dots[i]);
                  sums[i * 8 + j] = fma(diagonal[row], across, sums[i * 8 + j]);
                }
              }
            }
          }
        }
        for (int i = 0; i < 8; i++) {
          int row = ty * 8 + i;
          if (row < length) {
            int to = (start + row) * sumStride + head * sumWidth + firstColumn;
            for (int j = 0; j < 8; j++) {
              int column = tx + 16 * j;
              if (firstColumn + column < sumWidth) {
                if (stage == QUERY_GRADIENTS) {
                  keyOutputs[to + column] = sums[i * 8 + j];
                } else if (stage == KEY_GRADIENTS) {
                  keyOutputs[keysFrom + to + column] = sums[i * 8 + j];
                } else {
                  valueOutputs[to + column] = sums[i * 8 + j];
                }
              }
            }
          }
        }
      }
      for (int i = 0; i < 8; i++) {
        left[(ty * 8 + i) * 17 + tx] = dots[i];
      }
      localBarrier();
      if (apart == 1 && lane < length) {
        float dot = 0f;
        for (int i = 0; i < 16; i++) {
          dot = dot + left[lane * 17 + i];
        }
        gateRows[gateRowsFrom + (start + lane) * heads + head] = dot;
      }
    }
  }

  private void gateGradients(int own, int group, int lane) {
    int at = group / heads;
    if (at < chunks) {
      int head = group - at * heads;
      int perHead = keyWidth * valueWidth;
      int gradient = (at * heads + head) * perHead;
      int state = gradient + heads * perHead;
      float sum = 0f;
      for (int i = lane; i < perHead; i += GROUP) {
        sum = fma(states[state + i], stateGradients[gradient + i], sum);
      }
      left[lane] = sum;
      localBarrier();
      if (lane == 0) {
        float total = 0f;
        for (int i = 0; i < GROUP; i++) {
          total = total + left[i];
        }
        for (int token = starts[at + 1] - 1; token >= starts[at]; token--) {
          int index = token * heads + head;
          if (own == 1) {
            total = total + gateRows[index];
          }
          total = total - gateRows[tokens * heads + index];
          gateOutputs[index] = total;
        }
      }
    }
  }
}
