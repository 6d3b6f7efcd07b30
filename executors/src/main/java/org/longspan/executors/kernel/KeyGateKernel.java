package org.longspan.executors.kernel;

/**
 * Linear attention whose state's rows decay each by its own gate, as a GPU runs it, translated by
 * Aparapi from this class's bytecode: the tiles are those of {@link HeadDecayKernel}.
 *
 * <p>Decays between two tokens are exponentials of differences of logs, never quotients. Where the
 * two lie in different blocks of {@value #SLICE} tokens, a chunk's row of logs between them splits
 * the decay into two, each at most 1, so that a product of tiles is enough; within a block each
 * pair has its own exponentials.
 */
final class KeyGateKernel extends LinearTileKernel {
  private static final int COLUMNS = 128;
  private static final int SLICE = 16;
  private static final int ROW_STRIDE = CHUNK + 4;
  private static final int COLUMN_STRIDE = COLUMNS + 4;

  @Local private final float[] left = new float[SLICE * ROW_STRIDE];
  @Local private final float[] right = new float[SLICE * COLUMN_STRIDE];
  @Local private final float[] pairs = new float[CHUNK * ROW_STRIDE];
  @Local private final float[] high = new float[SLICE * COLUMN_STRIDE];
  @Local private final float[] low = new float[SLICE * COLUMN_STRIDE];
  @Local private final float[] diagonal = new float[CHUNK];

  KeyGateKernel(LinearRoom room) {
    super(room);
  }

  @Override
  int groups() {
    int summaries =
        chunks * heads * ((keyWidth + CHUNK - 1) / CHUNK) * ((valueWidth + COLUMNS - 1) / COLUMNS);
    int elements = (heads * keyWidth * valueWidth + GROUP - 1) / GROUP;
    int logSums = (chunks * heads * keyWidth + GROUP - 1) / GROUP;
    return Math.max(Math.max(summaries, logSums), Math.max(chunks * heads, elements));
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
    } else if (stage == OUTPUTS || stage == VALUE_GRADIENTS) {
      attendValues(stage, own, getGroupId(), getLocalId());
    } else {
      attendKeys(stage, own, getGroupId(), getLocalId());
    }
  }

  /** The decay between two places in the logs; 1 where the later is the earlier. */
  private float decay(int later, int earlier) {
    return exp(min(0f, (logs[later] - logs[earlier]) + (logRests[later] - logRests[earlier])));
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
      int logFrom = (start * heads + head) * keyWidth + firstRow + inRow;
      int rightFrom = valueFrom + (start * heads + head) * valueWidth + firstColumn + lane;
      for (int first = 0; first < length + SLICE; first += SLICE) {
        for (int i = 0; i < 8; i++) {
          int token = first + 2 * i + inSlice;
          nextLeft[i] = 0f;
          if (token < length && firstRow + inRow < keyWidth) {
            nextLeft[i] = key(leftFrom + token * heads * keyWidth);
          }
        }
        for (int i = 0; i < SLICE; i++) {
          nextRight[i] = 0f;
          if (first + i < length && firstColumn + lane < valueWidth) {
            nextRight[i] = value(rightFrom + (first + i) * heads * valueWidth);
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
          if (token < length && firstRow + inRow < keyWidth) {
            int log = logFrom + token * heads * keyWidth;
            if (gradient == 1) {
              weight = exp(logs[log] + logRests[log]);
            } else {
              weight = decay(logFrom + (length - 1) * heads * keyWidth, log);
            }
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

  /** Outputs, and gradients of values: sums over pairs of queries and keys. */
  private void attendValues(int stage, int own, int group, int lane) {
    int at = group / heads;
    if (at < chunks) {
      int head = group - at * heads;
      int start = starts[at];
      int length = starts[at + 1] - start;
      int reverse = 0;
      int x = 0;
      int y = keysFrom;
      int z = 0;
      if (stage == VALUE_GRADIENTS) {
        reverse = 1;
        x = keysFrom;
        y = 0;
        z = gradientsFrom;
      }
      int keyStride = heads * keyWidth;
      int valueStride = heads * valueWidth;
      int logFrom = start * keyStride + head * keyWidth;
      x = x + logFrom;
      y = y + logFrom;
      int valueFrom = start * valueStride + head * valueWidth;
      z = z + valueFrom;
      int ty = lane / 16;
      int tx = lane - ty * 16;
      int eighth = lane / 8;
      int inEighth = lane - eighth * 8;
      int block = ty / 2;
      float[] a = new float[8];
      float[] c = new float[4];
      float[] scores = new float[32];
      for (int i = 0; i < 32; i++) {
        scores[i] = 0f;
      }
      int pairColumns = own * keyWidth;
      for (int first = 0; first < pairColumns; first += SLICE) {
        for (int i = 0; i < 8; i++) {
          int row = eighth + 16 * (i / 2);
          int k = inEighth + 8 * (i % 2);
          float fromX = 0f;
          float fromY = 0f;
          float log = 0f;
          float rest = 0f;
          float scaled = 0f;
          if (row < length) {
            int index = row * keyStride + first + k;
            fromX = key(x + index);
            fromY = key(y + index);
            log = logs[logFrom + index];
            rest = logRests[logFrom + index];
            int edge = row / 16 * 16 - 1;
            if (reverse == 1) {
              edge = edge + 16;
            }
            if (edge >= 0 && edge < length) {
              int edgeIndex = logFrom + edge * keyStride + first + k;
              if (reverse == 1) {
                scaled = fromX * decay(edgeIndex, logFrom + index);
              } else {
                scaled = fromX * decay(logFrom + index, edgeIndex);
              }
            }
          }
          left[k * ROW_STRIDE + row] = scaled;
          pairs[k * ROW_STRIDE + row] = fromX;
          right[k * ROW_STRIDE + row] = fromY;
          high[k * ROW_STRIDE + row] = log;
          low[k * ROW_STRIDE + row] = rest;
        }
        localBarrier();
        for (int k = 0; k < SLICE; k++) {
          int edge = k * ROW_STRIDE + block * 16 - 1 + 16 * reverse;
          edge = max(edge, k * ROW_STRIDE);
          for (int i = 0; i < 8; i++) {
            a[i] = left[k * ROW_STRIDE + ty * 8 + i];
          }
          for (int j = 0; j < 4; j++) {
            int other = k * ROW_STRIDE + tx + 16 * j;
            float difference = (high[edge] - high[other]) + (low[edge] - low[other]);
            if (reverse == 1) {
              difference = -difference;
            }
            c[j] = 0f;
            if ((1 - 2 * reverse) * (block - j) > 0) {
              c[j] = right[other] * exp(min(0f, difference));
            }
          }
          for (int i = 0; i < 8; i++) {
            for (int j = 0; j < 4; j++) {
              scores[i * 4 + j] = fma(a[i], c[j], scores[i * 4 + j]);
            }
          }
        }
        for (int k = 0; k < SLICE; k++) {
          int other = k * ROW_STRIDE + tx + 16 * block;
          for (int i = 0; i < 8; i++) {
            int row = k * ROW_STRIDE + ty * 8 + i;
            float difference = (high[row] - high[other]) + (low[row] - low[other]);
            if (reverse == 1) {
              difference = -difference;
            }
            float score = pairs[row] * right[other] * exp(min(0f, difference));
            for (int j = 0; j < 4; j++) {
              if (j == block) {
                scores[i * 4 + j] = scores[i * 4 + j] + score;
              }
            }
          }
        }
        localBarrier();
      }
      for (int i = 0; i < 8; i++) {
        int row = ty * 8 + i;
        for (int j = 0; j < 4; j++) {
          int other = tx + 16 * j;
          float score = 0f;
          if (other < length && (1 - 2 * reverse) * (row - other) >= 0) {
            score = scores[i * 4 + j];
          }
          pairs[other * ROW_STRIDE + row] = score;
        }
      }
      int state = (at * heads + head) * keyWidth * valueWidth;
      float[] b = new float[8];
      float[] sums = new float[64];
      int pairRows = own * length;
      for (int firstColumn = 0; firstColumn < valueWidth; firstColumn += COLUMNS) {
        for (int i = 0; i < 64; i++) {
          sums[i] = 0f;
        }
        for (int first = 0; first < keyWidth; first += SLICE) {
          for (int i = 0; i < 8; i++) {
            int row = eighth + 16 * (i / 2);
            int k = inEighth + 8 * (i % 2);
            float number = 0f;
            if (row < length) {
              int index = row * keyStride + first + k;
              if (reverse == 1) {
                int last = (length - 1) * keyStride + first + k;
                number = key(x + index) * decay(logFrom + last, logFrom + index);
              } else {
                number = key(x + index) * exp(logs[logFrom + index] + logRests[logFrom + index]);
              }
            }
            left[k * ROW_STRIDE + row] = number;
          }
          for (int k = 0; k < SLICE; k++) {
            float number = 0f;
            if (firstColumn + lane < valueWidth) {
              number = readState(reverse, state + (first + k) * valueWidth + firstColumn + lane);
            }
            right[k * COLUMN_STRIDE + lane] = number;
          }
          localBarrier();
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
          localBarrier();
        }
        for (int first = 0; first < pairRows; first += SLICE) {
          for (int k = 0; k < SLICE; k++) {
            float number = 0f;
            if (first + k < length && firstColumn + lane < valueWidth) {
              number = value(z + (first + k) * valueStride + firstColumn + lane);
            }
            right[k * COLUMN_STRIDE + lane] = number;
          }
          localBarrier();
          for (int k = 0; k < SLICE; k++) {
            for (int i = 0; i < 8; i++) {
              a[i] = pairs[(first + k) * ROW_STRIDE + ty * 8 + i];
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
          localBarrier();
        }
        for (int i = 0; i < 8; i++) {
          int row = ty * 8 + i;
          for (int j = 0; j < 8; j++) {
            int column = firstColumn + tx + 16 * j;
            if (row < length && column < valueWidth) {
              writeValue(valueFrom + row * valueStride + column, sums[i * 8 + j]);
            }
          }
        }
      }
    }
  }

  /** Gradients of queries and keys: sums over pairs of outputs' gradients and values. */
  private void attendKeys(int stage, int own, int group, int lane) {
    int at = group / heads;
    if (at < chunks) {
      int head = group - at * heads;
      int start = starts[at];
      int length = starts[at + 1] - start;
      int reverse = 0;
      int x = gradientsFrom;
      int y = 0;
      int z = keysFrom;
      int along = 0;
      int rowsFrom = 0;
      if (stage == KEY_GRADIENTS) {
        reverse = 1;
        x = 0;
        y = gradientsFrom;
        z = 0;
        along = keysFrom;
        rowsFrom = tokens * heads * keyWidth;
      }
      int direction = 1 - 2 * reverse;
      int keyStride = heads * keyWidth;
      int valueStride = heads * valueWidth;
      int keyFrom = start * keyStride + head * keyWidth;
      x = x + start * valueStride + head * valueWidth;
      y = y + start * valueStride + head * valueWidth;
      int ty = lane / 16;
      int tx = lane - ty * 16;
      int eighth = lane / 8;
      int inEighth = lane - eighth * 8;
      int block = ty / 2;
      int edge = block * 16 - 1 + 16 * reverse;
      if (lane < CHUNK) {
        diagonal[lane] = 0f;
      }
      localBarrier();
      float[] a = new float[8];
      float[] c = new float[4];
      float[] scores = new float[32];
      for (int i = 0; i < 32; i++) {
        scores[i] = 0f;
      }
      int pairColumns = own * valueWidth;
      for (int first = 0; first < pairColumns; first += SLICE) {
        for (int i = 0; i < 8; i++) {
          int row = eighth + 16 * (i / 2);
          int k = inEighth + 8 * (i % 2);
          float fromX = 0f;
          float fromY = 0f;
          if (row < length) {
            fromX = value(x + row * valueStride + first + k);
            fromY = value(y + row * valueStride + first + k);
          }
          left[k * ROW_STRIDE + row] = fromX;
          right[k * ROW_STRIDE + row] = fromY;
        }
        localBarrier();
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
        localBarrier();
      }
      for (int i = 0; i < 8; i++) {
        int row = ty * 8 + i;
        for (int j = 0; j < 4; j++) {
          int other = tx + 16 * j;
          float score = 0f;
          if (other < length && direction * (row - other) > 0) {
            score = scores[i * 4 + j];
          }
          if (other == row && row < length) {
            diagonal[row] = scores[i * 4 + j];
          }
          pairs[other * ROW_STRIDE + row] = score;
        }
      }
      int state = (at * heads + head) * keyWidth * valueWidth;
      float[] b = new float[8];
      float[] sums = new float[64];
      int pairBlocks = own * ((length + SLICE - 1) / SLICE);
      for (int firstColumn = 0; firstColumn < keyWidth; firstColumn += COLUMNS) {
        for (int i = 0; i < 64; i++) {
          sums[i] = 0f;
        }
        for (int first = 0; first < valueWidth; first += SLICE) {
          for (int i = 0; i < 8; i++) {
            int row = eighth + 16 * (i / 2);
            int k = inEighth + 8 * (i % 2);
            float number = 0f;
            if (row < length) {
              number = value(x + row * valueStride + first + k);
            }
            left[k * ROW_STRIDE + row] = number;
          }
          for (int i = 0; i < 16; i++) {
            int column = eighth + 16 * (i / 2);
            int k = inEighth + 8 * (i % 2);
            float number = 0f;
            if (firstColumn + column < keyWidth) {
              number = readState(reverse, state + (firstColumn + column) * valueWidth + first + k);
            }
            right[k * COLUMN_STRIDE + column] = number;
          }
          localBarrier();
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
          localBarrier();
        }
        // The state reaches the block's edge first, where other blocks are added, then each row.
        for (int j = 0; j < 8; j++) {
          int column = firstColumn + tx + 16 * j;
          float reach = 1f;
          if (column < keyWidth && edge >= 0) {
            int nearest = keyFrom + min(edge, length - 1) * keyStride + column;
            if (reverse == 1) {
              reach = decay(keyFrom + (length - 1) * keyStride + column, nearest);
            } else {
              reach = exp(logs[nearest] + logRests[nearest]);
            }
          }
          for (int i = 0; i < 8; i++) {
            sums[i * 8 + j] = reach * sums[i * 8 + j];
          }
        }
        for (int step = 0; step < pairBlocks; step++) {
          int other = step;
          if (reverse == 1) {
            other = pairBlocks - 1 - step;
          }
          int first = other * SLICE;
          for (int k = 0; k < SLICE; k++) {
            float number = 0f;
            float log = 0f;
            float rest = 0f;
            if (first + k < length && firstColumn + lane < keyWidth) {
              int index = keyFrom + (first + k) * keyStride + firstColumn + lane;
              number = key(z + index);
              log = logs[index];
              rest = logRests[index];
            }
            right[k * COLUMN_STRIDE + lane] = number;
            high[k * COLUMN_STRIDE + lane] = log;
            low[k * COLUMN_STRIDE + lane] = rest;
          }
          localBarrier();
          if (direction * (block - other) > 0) {
            for (int k = 0; k < SLICE; k++) {
              for (int i = 0; i < 8; i++) {
                a[i] = pairs[(first + k) * ROW_STRIDE + ty * 8 + i];
              }
              for (int j = 0; j < 8; j++) {
                int column = k * COLUMN_STRIDE + tx + 16 * j;
                float log = 0f;
                float rest = 0f;
                if (firstColumn + tx + 16 * j < keyWidth) {
                  int nearest =
                      keyFrom + min(edge, length - 1) * keyStride + firstColumn + tx + 16 * j;
                  log = logs[nearest];
                  rest = logRests[nearest];
                }
                float difference = direction * ((log - high[column]) + (rest - low[column]));
                b[j] = right[column] * exp(min(0f, difference));
              }
              for (int i = 0; i < 8; i++) {
                for (int j = 0; j < 8; j++) {
                  sums[i * 8 + j] = fma(a[i], b[j], sums[i * 8 + j]);
                }
              }
            }
          }
          localBarrier();
        }
        for (int i = 0; i < 8; i++) {
          int row = ty * 8 + i;
          for (int j = 0; j < 8; j++) {
            int column = firstColumn + tx + 16 * j;
            if (row < length && column < keyWidth) {
              int index = keyFrom + row * keyStride + column;
              float sum = sums[i * 8 + j];
              if (edge < 0) {
                sum = sum * exp(logs[index] + logRests[index]);
              } else {
                int nearest = keyFrom + min(edge, length - 1) * keyStride + column;
                if (reverse == 1) {
                  sum = sum * decay(nearest, index);
                } else {
                  sum = sum * decay(index, nearest);
                }
              }
              int within = min(length, block * 16 + 16) * own;
              for (int other = block * 16; other < within; other++) {
                int otherIndex = keyFrom + other * keyStride + column;
                float difference =
                    direction
                        * ((logs[index] - logs[otherIndex])
                            + (logRests[index] - logRests[otherIndex]));
                sum =
                    fma(
                        pairs[other * ROW_STRIDE + row],
                        key(z + otherIndex) * exp(min(0f, difference)),
                        sum);
              }
              gateRows[rowsFrom + index] = sum * key(along + index);
              sum = fma(diagonal[row], key(z + index), sum);
              if (reverse == 1) {
                writeKey(keysFrom + index, sum);
              } else {
                writeKey(index, sum);
              }
            }
          }
        }
      }
    }
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

  private void gateGradients(int own, int group, int lane) {
    int at = group / heads;
    if (at < chunks) {
      int head = group - at * heads;
      int keyStride = heads * keyWidth;
      for (int row = lane; row < keyWidth; row += GROUP) {
        int gradient = ((at * heads + head) * keyWidth + row) * valueWidth;
        int state = gradient + keyStride * valueWidth;
        float total = 0f;
        for (int i = 0; i < valueWidth; i++) {
          total = fma(states[state + i], stateGradients[gradient + i], total);
        }
        for (int token = starts[at + 1] - 1; token >= starts[at]; token--) {
          int index = token * keyStride + head * keyWidth + row;
          if (own == 1) {
            total = total + gateRows[index];
          }
          total = total - gateRows[tokens * keyStride + index];
          gateOutputs[index] = total;
        }
      }
    }
  }
}
