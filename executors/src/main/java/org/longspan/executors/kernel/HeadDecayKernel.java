package org.longspan.executors.kernel;

/**
 * Linear attention whose state decays by one factor for each head, constant or with a gate for each
 * token, as a GPU runs it, translated by Aparapi from this class's bytecode.
 *
 * <p>A work-group of {@value #GROUP} takes a tile of {@value #CHUNK} × {@value #COLUMNS} of a
 * product, a work-item 8 × 8 of it in registers, 32 work-items side by side 4 × 8 such parts;
 * factors go through local memory in slices of {@value #SLICE}, four numbers at a time. Outputs and
 * the gradients of queries, keys and values are one computation with its inputs' roles exchanged:
 * {@code X T + (X Yᵀ ⊙ decays) Z} with the state or its gradient {@code T}.
 *
 * <p>The logs of the gates are summed as pairs of numbers, so that differences of two sums, however
 * large, are as good as a single number.
 */
final class HeadDecayKernel extends LinearTileKernel {
  private static final int COLUMNS = 128;
  private static final int SLICE = 16;
  private static final int ROW_STRIDE = CHUNK + 4;
  private static final int COLUMN_STRIDE = COLUMNS + 4;

  private static final int LEFT_NUMBERS = SLICE * ROW_STRIDE;
  private static final int RIGHT_NUMBERS = SLICE * COLUMN_STRIDE;

  /** A slice of the left factor, one of the right factor, and a chunk's pairs. */
  @Local private final float[] tiles = new float[3 + LEFT_NUMBERS + RIGHT_NUMBERS + CHUNK * CHUNK];

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
      int own = lane / 64 * 32 + lane % 32 / 8 * 8;
      int ownColumn = lane / 32 % 2 * 64 + lane % 8 * 4;
      float[] sums = new float[64];
      float[] a = new float[8];
      float[] b = new float[8];
      for (int i = 0; i < 64; i++) {
        sums[i] = 0f;
      }
      float[] nextLeft = new float[8];
      float[] nextRight = new float[16];
      int leftToken = lane / 16;
      int leftColumn = lane % 16 * 4;
      int rightToken = lane / 32;
      int rightColumn = lane % 32 * 4;
      int leftFrom = keyFrom + (start * heads + head) * keyWidth + firstRow + leftColumn;
      int rightFrom = valueFrom + (start * heads + head) * valueWidth + firstColumn + rightColumn;
      int left = firstWhole(tiles);
      int right = left + LEFT_NUMBERS;
      localBarrier();
      for (int first = 0; first < length + SLICE; first += SLICE) {
        for (int i = 0; i < 8; i++) {
          nextLeft[i] = 0f;
        }
        for (int i = 0; i < 16; i++) {
          nextRight[i] = 0f;
        }
        for (int i = 0; i < 2; i++) {
          int token = first + leftToken + 8 * i;
          if (token < length && firstRow + leftColumn < keyWidth) {
            readTokens(0, leftFrom + token * heads * keyWidth, nextLeft, 4 * i);
          }
        }
        for (int i = 0; i < 4; i++) {
          int token = first + rightToken + 4 * i;
          if (token < length && firstColumn + rightColumn < valueWidth) {
            readTokens(1, rightFrom + token * heads * valueWidth, nextRight, 4 * i);
          }
        }
        if (first > 0) {
          for (int k = 0; k < SLICE; k++) {
            readLocal(tiles, left + k * ROW_STRIDE + own, a, 0);
            readLocal(tiles, left + k * ROW_STRIDE + own + 4, a, 4);
            readLocal(tiles, right + k * COLUMN_STRIDE + ownColumn, b, 0);
            readLocal(tiles, right + k * COLUMN_STRIDE + ownColumn + 32, b, 4);
            for (int i = 0; i < 8; i++) {
              for (int j = 0; j < 8; j++) {
                sums[i * 8 + j] = fma(a[i], b[j], sums[i * 8 + j]);
              }
            }
          }
        }
        localBarrier();
        for (int i = 0; i < 2; i++) {
          int place = leftToken + 8 * i;
          float weight = 0f;
          if (first + place < length) {
            weight = weights[first + place];
          }
          for (int j = 0; j < 4; j++) {
            nextLeft[4 * i + j] = weight * nextLeft[4 * i + j];
          }
          writeLocal(tiles, left + place * ROW_STRIDE + leftColumn, nextLeft, 4 * i);
        }
        for (int i = 0; i < 4; i++) {
          writeLocal(
              tiles, right + (rightToken + 4 * i) * COLUMN_STRIDE + rightColumn, nextRight, 4 * i);
        }
        localBarrier();
      }
      int base = (at * heads + head) * keyWidth * valueWidth;
      for (int i = 0; i < 8; i++) {
        int row = firstRow + own + i;
        for (int j = 0; j < 2; j++) {
          int column = firstColumn + ownColumn + 32 * j;
          if (row < keyWidth && column < valueWidth) {
            int index = base + row * valueWidth + column;
            if (gradient == 1) {
              writeGlobal(stateGradients, index, sums, i * 8 + 4 * j);
            } else {
              writeGlobal(states, index, sums, i * 8 + 4 * j);
            }
          }
        }
      }
    }
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
      int firstOfHalf = lane / 64 * 32;
      int ownRow = firstOfHalf + lane % 32 / 8 * 8;
      int across = lane / 32 % 2;
      int ownColumn = across * 64 + lane % 8 * 4;
      int ownOther = across * 32 + lane % 8 * 4;
      int row = lane / 32 * 16 + lane % 16;
      int depth = lane / 16 % 2 * 4;
      int line = lane / 32;
      int lineColumn = lane % 32 * 4;
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
      int left = firstWhole(tiles);
      int right = left + LEFT_NUMBERS;
      int pairs = right + RIGHT_NUMBERS;
      float[] a = new float[8];
      float[] nextLeft = new float[8];
      float[] nextRight = new float[16];
      if (own == 1) {
        // A quarter of the pairs is of queries before their keys.
        int isSeen = 1;
        if ((1 - 2 * reverse) * (firstOfHalf - across * 32) < 0) {
          isSeen = 0;
        }
        float[] scores = new float[32];
        float[] c = new float[4];
        for (int i = 0; i < 32; i++) {
          scores[i] = 0f;
        }
        for (int first = 0; first <= pairWidth; first += SLICE) {
          for (int i = 0; i < 8; i++) {
            nextLeft[i] = 0f;
            nextRight[i] = 0f;
          }
          if (row < length && first < pairWidth) {
            int from = row * pairStride + first + depth;
            for (int i = 0; i < 2; i++) {
              readTokens(pairSide, x + from + 8 * i, nextLeft, 4 * i);
              readTokens(pairSide, y + from + 8 * i, nextRight, 4 * i);
            }
          }
          if (first > 0 && isSeen == 1) {
            for (int k = 0; k < SLICE; k++) {
              readLocal(tiles, left + k * ROW_STRIDE + ownRow, a, 0);
              readLocal(tiles, left + k * ROW_STRIDE + ownRow + 4, a, 4);
              readLocal(tiles, right + k * ROW_STRIDE + ownOther, c, 0);
              for (int i = 0; i < 8; i++) {
                for (int j = 0; j < 4; j++) {
                  scores[i * 4 + j] = fma(a[i], c[j], scores[i * 4 + j]);
                }
              }
            }
          }
          localBarrier();
          for (int i = 0; i < 2; i++) {
            for (int j = 0; j < 4; j++) {
              tiles[left + (depth + 8 * i + j) * ROW_STRIDE + row] = nextLeft[4 * i + j];
              tiles[right + (depth + 8 * i + j) * ROW_STRIDE + row] = nextRight[4 * i + j];
            }
          }
          localBarrier();
        }
        for (int i = 0; i < 8; i++) {
          int query = ownRow + i;
          for (int j = 0; j < 4; j++) {
            int other = ownOther + j;
            float score = 0f;
            if (other == query) {
              diagonal[query] = scores[i * 4 + j];
            }
            if (reverse == 0 && other + apart <= query) {
              score =
                  scores[i * 4 + j] * exp((high[query] - high[other]) + (low[query] - low[other]));
            }
            if (reverse == 1 && other >= query + apart && other < length) {
              score =
                  scores[i * 4 + j] * exp((high[other] - high[query]) + (low[other] - low[query]));
            }
            tiles[pairs + pair(other, ownRow + i / 4 * 4) + i % 4] = score;
          }
        }
      }
      int state = (at * heads + head) * keyWidth * valueWidth;
      float[] b = new float[8];
      float[] sums = new float[64];
      float[] dots = new float[8];
      // A warp's 32 rows share what they can leave out.
      int lowest = 0;
      int highest = firstOfHalf + 16;
      if (reverse == 1) {
        lowest = firstOfHalf;
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
            nextLeft[i] = 0f;
          }
          for (int i = 0; i < 16; i++) {
            nextRight[i] = 0f;
          }
          if (first < pairWidth) {
            if (row < length) {
              for (int i = 0; i < 2; i++) {
                readTokens(pairSide, x + row * pairStride + first + depth + 8 * i, nextLeft, 4 * i);
              }
            }
            for (int i = 0; i < 4; i++) {
              int isInside = 0;
              int from = state;
              if (pairSide == 0) {
                from = from + (first + line + 4 * i) * valueWidth + firstColumn + lineColumn;
                if (firstColumn + lineColumn < sumWidth) {
                  isInside = 1;
                }
              } else {
                int column = firstColumn + row + i / 2 * 64;
                from = from + column * valueWidth + first + depth + i % 2 * 8;
                if (column < sumWidth) {
                  isInside = 1;
                }
              }
              if (isInside == 1) {
                readStates(reverse, from, nextRight, 4 * i);
              }
            }
          }
          if (first > 0) {
            for (int k = 0; k < SLICE; k++) {
              readLocal(tiles, left + k * ROW_STRIDE + ownRow, a, 0);
              readLocal(tiles, left + k * ROW_STRIDE + ownRow + 4, a, 4);
              readLocal(tiles, right + k * COLUMN_STRIDE + ownColumn, b, 0);
              readLocal(tiles, right + k * COLUMN_STRIDE + ownColumn + 32, b, 4);
              for (int i = 0; i < 8; i++) {
                for (int j = 0; j < 8; j++) {
                  sums[i * 8 + j] = fma(a[i], b[j], sums[i * 8 + j]);
                }
              }
            }
          }
          localBarrier();
          for (int i = 0; i < 2; i++) {
            for (int j = 0; j < 4; j++) {
              tiles[left + (depth + 8 * i + j) * ROW_STRIDE + row] = nextLeft[4 * i + j];
            }
          }
          if (pairSide == 0) {
            for (int i = 0; i < 4; i++) {
              writeLocal(
                  tiles, right + (line + 4 * i) * COLUMN_STRIDE + lineColumn, nextRight, 4 * i);
            }
          } else {
            for (int i = 0; i < 4; i++) {
              for (int j = 0; j < 4; j++) {
                tiles[right + (depth + i % 2 * 8 + j) * COLUMN_STRIDE + row + i / 2 * 64] =
                    nextRight[4 * i + j];
              }
            }
          }
          localBarrier();
        }
        for (int i = 0; i < 8; i++) {
          float weight = weights[ownRow + i];
          for (int j = 0; j < 8; j++) {
            sums[i * 8 + j] = weight * sums[i * 8 + j];
          }
        }
        if (own == 1) {
          for (int first = 0; first < length + SLICE; first += SLICE) {
            for (int i = 0; i < 16; i++) {
              nextRight[i] = 0f;
            }
            for (int i = 0; i < 4; i++) {
              int token = first + line + 4 * i;
              if (token < length && firstColumn + lineColumn < sumWidth) {
                readTokens(
                    sumSide, z + token * sumStride + firstColumn + lineColumn, nextRight, 4 * i);
              }
            }
            int done = first - SLICE;
            if (done >= lowest && done <= highest) {
              for (int k = 0; k < SLICE; k++) {
                readLocal(tiles, pairs + pair(done + k, ownRow), a, 0);
                readLocal(tiles, pairs + pair(done + k, ownRow + 4), a, 4);
                readLocal(tiles, right + k * COLUMN_STRIDE + ownColumn, b, 0);
                readLocal(tiles, right + k * COLUMN_STRIDE + ownColumn + 32, b, 4);
                for (int i = 0; i < 8; i++) {
                  for (int j = 0; j < 8; j++) {
                    sums[i * 8 + j] = fma(a[i], b[j], sums[i * 8 + j]);
                  }
                }
              }
            }
            localBarrier();
            for (int i = 0; i < 4; i++) {
              writeLocal(
                  tiles, right + (line + 4 * i) * COLUMN_STRIDE + lineColumn, nextRight, 4 * i);
            }
            localBarrier();
          }
        }
        for (int i = 0; i < 8; i++) {
          int query = ownRow + i;
          if (query < length) {
            int to = (start + query) * sumStride + head * sumWidth;
            for (int h = 0; h < 2; h++) {
              int column = firstColumn + ownColumn + 32 * h;
              if (column < sumWidth) {
                if (apart == 1) {
                  readTokens(0, z + query * sumStride + column, a, 0);
                  readTokens(0, gateSide + query * sumStride + column, b, 0);
                  for (int j = 0; j < 4; j++) {
                    int sum = i * 8 + 4 * h + j;
                    dots[i] = fma(sums[sum], b[j], dots[i]);
                    sums[sum] = fma(diagonal[query], a[j], sums[sum]);
                  }
                }
                if (stage == QUERY_GRADIENTS) {
                  writeTokens(0, to + column, sums, i * 8 + 4 * h);
                } else if (stage == KEY_GRADIENTS) {
                  writeTokens(0, keysFrom + to + column, sums, i * 8 + 4 * h);
                } else {
                  writeTokens(1, to + column, sums, i * 8 + 4 * h);
                }
              }
            }
          }
        }
      }
      for (int i = 0; i < 8; i++) {
        tiles[left + (ownRow + i) * 17 + across * 8 + lane % 8] = dots[i];
      }
      localBarrier();
      if (apart == 1 && lane < length) {
        float dot = 0f;
        for (int i = 0; i < 16; i++) {
          dot = dot + tiles[left + lane * 17 + i];
        }
        gateRows[gateRowsFrom + (start + lane) * heads + head] = dot;
      }
    }
  }

  /**
   * Where in {@code pairs} the four rows from {@code row} on lie for the token {@code other}:
   * turned so that neither those that write nor those that read meet in a bank.
   */
  private int pair(int other, int row) {
    return other * CHUNK + (row / 4 ^ (other / 4 & 15)) * 4;
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
      tiles[lane] = sum;
      localBarrier();
      if (lane == 0) {
        float total = 0f;
        for (int i = 0; i < GROUP; i++) {
          total = total + tiles[i];
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
