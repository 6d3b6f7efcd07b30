package org.longspan.executors.kernel;

/**
 * The gated delta rule as a GPU runs it, translated by Aparapi from this class's bytecode, with the
 * stages of {@link DeltaKernel} that are products of whole rows: a work-group of {@value #GROUP}
 * takes {@value #CHUNK} rows of a chunk's or state's product, {@value #COLUMNS} columns at a time,
 * a work-item 8 × 8 of them in registers; factors go through local memory in slices of {@value
 * #SLICE}. A product is a sum of up to three, of a left factor, whose rows or columns are weighed
 * by the tokens' decays, and a right one.
 */
abstract class DeltaTileKernel extends DeltaPairKernel {
  private static final int COLUMNS = 128;
  private static final int COLUMN_STRIDE = COLUMNS + 4;

  private static final int KEYS = 0;
  private static final int VALUES = 1;
  private static final int SOLVED_KEYS = 2;
  private static final int SOLVED_VALUES = 3;
  private static final int PAIRS = 4;
  private static final int STATES = 5;
  private static final int STATE_GRADIENTS = 6;

  /** A left factor of which every number counts. */
  private static final int FULL = 0;

  /** Nothing right of the diagonal. */
  private static final int LOWER = 1;

  /** Nothing left of the diagonal. */
  private static final int UPPER = 2;

  /** {@code I + X β}. */
  private static final int UNIT_LOWER = 3;

  /** {@code I + Xᵀ β}. */
  private static final int UNIT_UPPER = 4;

  @Local final float[] weights = new float[CHUNK];

  DeltaTileKernel(LinearRoom room) {
    super(room);
  }

  static DeltaTileKernel of(LinearRoom room) {
    return switch (room.storage()) {
      case FLOAT -> new DeltaFloatTileKernel(room);
      case BF16 -> new DeltaHalfTileKernel(room);
    };
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
    } else if (stage == SCAN || stage == SCAN_TRANSITION || stage == SCAN_GRADIENT) {
      scan(stage, own, getGroupId(), getLocalId());
    } else if (stage == CORRELATE
        || stage == SCORES
        || stage == SCORE_GRADIENTS
        || stage == CORRELATION_GRADIENTS) {
      pair(stage, getGroupId(), getLocalId());
    } else if (stage == GATE_GRADIENTS) {
      sumCrossings(own, getGroupId(), getLocalId());
    } else {
      multiply(stage, own, getGroupId(), getLocalId());
    }
  }

  private float readLeft(int kind, int index) {
    float number = 0f;
    if (kind == KEYS) {
      number = key(index);
    } else if (kind == PAIRS) {
      number = pairs[index];
    } else if (kind == SOLVED_VALUES) {
      number = solvedValues[index];
    } else if (kind == SOLVED_KEYS) {
      number = solvedKeys[index];
    } else {
      number = value(index);
    }
    return number;
  }

  private float readRight(int kind, int index) {
    float number = 0f;
    if (kind == STATES) {
      number = states[index];
    } else if (kind == KEYS) {
      number = key(index);
    } else if (kind == SOLVED_VALUES) {
      number = solvedValues[index];
    } else if (kind == VALUES) {
      number = value(index);
    } else if (kind == STATE_GRADIENTS) {
      number = stateGradients[index];
    } else {
      number = solvedKeys[index];
    }
    return number;
  }

  private void multiply(int stage, int own, int group, int lane) {
    int ofState = 0;
    int rowTiles = 1;
    if (stage == TRANSITIONS || stage == SUMMARIZE || stage == SUMMARIZE_GRADIENT) {
      ofState = 1;
      rowTiles = (keyWidth + CHUNK - 1) / CHUNK;
    }
    int at = group / (heads * rowTiles);
    if (at < chunks) {
      int rest = group - at * heads * rowTiles;
      int head = rest / rowTiles;
      int firstRow = (rest - head * rowTiles) * CHUNK;
      int start = starts[at];
      int length = starts[at + 1] - start;
      int rows = length;
      if (ofState == 1) {
        rows = min(CHUNK, keyWidth - firstRow);
      }
      int width = valueWidth;
      if (stage == SOLVE_KEYS
          || stage == SOLVE_KEYS_BACK
          || stage == TRANSITIONS
          || stage == QUERY_GRADIENTS
          || stage == KEY_READS
          || stage == KEY_GRADIENTS) {
        width = keyWidth;
      }
      int terms = 1;
      if (stage == OUTPUTS || stage == SUMMARIZE_GRADIENT || stage == QUERY_GRADIENTS) {
        terms = 2;
      }
      if (stage == KEY_GRADIENTS) {
        terms = 2 + own;
      }
      int alongKeys = 0;
      if (stage == QUERY_GRADIENTS || stage == KEY_READS || stage == KEY_GRADIENTS) {
        alongKeys = 1;
      }
      int ofTokens = start * heads + head;
      int keyAt = ofTokens * keyWidth;
      int keyStride = heads * keyWidth;
      int valueAt = ofTokens * valueWidth;
      int valueStride = heads * valueWidth;
      int pairAt = ofTokens * CHUNK;
      int pairStride = heads * CHUNK;
      int stateAt = (at * heads + head) * keyWidth * valueWidth;
      int transitionAt = ((at * heads + head) * keyWidth + firstRow) * keyWidth;
      int lastToken = (start + length - 1) * heads + head;
      int ty = lane / 16;
      int tx = lane - ty * 16;
      int eighth = lane / 8;
      int inEighth = lane - eighth * 8;
      float[] sums = new float[64];
      float[] nextLeft = new float[8];
      float[] nextRight = new float[16];
      float[] a = new float[8];
      float[] b = new float[8];
      float[] dots = new float[8];
      for (int i = 0; i < 8; i++) {
        dots[i] = 0f;
      }
      if (lane < CHUNK) {
        strengths[lane] = 0f;
        if (lane < length) {
          strengths[lane] = betas[ofTokens + lane * heads];
        }
      }
      for (int firstColumn = 0; firstColumn < width; firstColumn += COLUMNS) {
        for (int i = 0; i < 64; i++) {
          sums[i] = 0f;
        }
        for (int term = 0; term < terms; term++) {
          int leftKind = KEYS;
          int leftAt = keyAt;
          int leftRow = keyStride;
          int leftStep = 1;
          int shape = FULL;
          int weighing = ONE;
          int depth = length;
          int rightKind = KEYS;
          int rightAt = keysFrom + keyAt;
          int rightStep = keyStride;
          int rightColumn = 1;
          int weighsRows = 0;
          // One after the other, since the translator takes no deeper branches than these.
          if (stage == SOLVE_VALUES || stage == SOLVE_KEYS) {
            leftKind = PAIRS;
            leftAt = pairAt;
            leftRow = 1;
            leftStep = pairStride;
            shape = UNIT_LOWER;
          }
          if (stage == SOLVE_GRADIENTS || stage == SOLVE_KEYS_BACK) {
            leftKind = PAIRS;
            leftAt = pairAt;
            leftRow = pairStride;
            shape = UNIT_UPPER;
          }
          if (stage == SOLVE_KEYS) {
            weighing = RISE;
          }
          if (stage == SOLVE_KEYS_BACK) {
            weighing = FALL;
          }
          if (stage == SOLVE_VALUES) {
            rightKind = VALUES;
            rightAt = valueAt;
            rightStep = valueStride;
          }
          if (stage == SOLVE_GRADIENTS) {
            rightKind = SOLVED_VALUES;
            rightAt = gradientsFrom + valueAt;
            rightStep = valueStride;
          }
          if (ofState == 1) {
            leftAt = keyAt + firstRow + keysFrom;
            leftRow = 1;
            leftStep = keyStride;
            weighing = FALL + BETA;
          }
          if (stage == TRANSITIONS) {
            rightKind = SOLVED_KEYS;
            rightAt = keyAt;
          }
          if (stage == SUMMARIZE) {
            rightKind = SOLVED_VALUES;
            rightAt = valueAt;
            rightStep = valueStride;
          }
          if (stage == SUMMARIZE_GRADIENT) {
            weighing = RISE + BETA + NEGATIVE;
            rightKind = SOLVED_VALUES;
            rightAt = gradientsFrom + valueAt;
            rightStep = valueStride;
          }
          if (stage == SUMMARIZE_GRADIENT && term == 0) {
            leftAt = keyAt + firstRow;
            weighing = RISE;
            rightKind = VALUES;
          }
          if (stage == RESIDUALS) {
            leftKind = SOLVED_KEYS;
            depth = keyWidth;
            weighing = NEGATIVE;
            weighsRows = 1;
            rightKind = STATES;
            rightAt = stateAt;
            rightStep = valueWidth;
          }
          if (stage == VALUE_GRADIENTS) {
            leftKind = SOLVED_KEYS;
            leftAt = keysFrom + keyAt;
            depth = keyWidth;
            weighsRows = 1;
            rightKind = STATE_GRADIENTS;
            rightAt = stateAt;
            rightStep = valueWidth;
          }
          if (stage == OUTPUTS && term == 0) {
            depth = keyWidth;
            weighing = RISE;
            weighsRows = 1;
            rightKind = STATES;
            rightAt = stateAt;
            rightStep = valueWidth;
          }
          if (stage == OUTPUTS && term == 1) {
            leftKind = PAIRS;
            leftAt = pairsFrom + pairAt;
            leftRow = pairStride;
            shape = LOWER;
            weighing = BETA;
            rightKind = SOLVED_VALUES;
            rightAt = valueAt;
            rightStep = valueStride;
          }
          if (stage == SCORED_GRADIENTS) {
            leftKind = PAIRS;
            leftAt = pairsFrom + pairAt;
            leftRow = 1;
            leftStep = pairStride;
            shape = UPPER;
            rightKind = VALUES;
            rightAt = gradientsFrom + valueAt;
            rightStep = valueStride;
          }
          if (alongKeys == 1 && term == 0) {
            leftKind = SOLVED_VALUES;
            leftAt = gradientsFrom + valueAt;
            leftRow = valueStride;
            depth = valueWidth;
            weighing = RISE + BETA + NEGATIVE;
            weighsRows = 1;
            rightKind = STATES;
            rightAt = stateAt;
            rightStep = 1;
            rightColumn = valueWidth;
          }
          if (stage == QUERY_GRADIENTS && term == 0) {
            leftKind = VALUES;
            weighing = RISE;
          }
          if (stage == KEY_GRADIENTS && term == 0) {
            leftAt = valueAt;
            weighing = FALL + BETA;
            rightKind = STATE_GRADIENTS;
          }
          if (stage == QUERY_GRADIENTS && term == 1) {
            leftKind = PAIRS;
            leftAt = 2 * pairsFrom + pairAt;
            leftRow = pairStride;
            shape = LOWER;
          }
          if (stage == KEY_GRADIENTS && term == 1) {
            leftKind = PAIRS;
            leftAt = 3 * pairsFrom + pairAt;
            leftRow = pairStride;
          }
          if (stage == KEY_GRADIENTS && term == 2) {
            leftKind = PAIRS;
            leftAt = 2 * pairsFrom + pairAt;
            leftRow = 1;
            leftStep = pairStride;
            shape = UPPER;
            rightAt = keyAt;
          }
          int unit = 0;
          if (shape == UNIT_LOWER || shape == UNIT_UPPER) {
            unit = 1;
          }
          if (lane < CHUNK) {
            weights[lane] = 0f;
            if (lane < length) {
              weights[lane] = weight(weighing, ofTokens + lane * heads, lastToken);
            }
          }
          // A work-item's eight rows share their slice with its neighbours' eight.
          int lowest = 0;
          int highest = depth;
          if (shape == LOWER || shape == UNIT_LOWER) {
            highest = ty / 2 * SLICE;
          }
          if (shape == UPPER || shape == UNIT_UPPER) {
            lowest = ty / 2 * SLICE;
          }
          for (int first = 0; first < depth + SLICE; first += SLICE) {
            for (int i = 0; i < 8; i++) {
              int row = lane % CHUNK;
              int k = first + 2 * i + lane / CHUNK;
              if (leftStep == 1) {
                row = eighth + 16 * (i / 2);
                k = first + inEighth + 8 * (i % 2);
              }
              int counts = 0;
              if (row < rows && k < depth) {
                counts = 1;
              }
              if ((shape == LOWER && k > row)
                  || (shape == UPPER && k < row)
                  || (shape == UNIT_LOWER && k >= row)
                  || (shape == UNIT_UPPER && k <= row)) {
                counts = 0;
              }
              nextLeft[i] = 0f;
              if (counts == 1) {
                nextLeft[i] = readLeft(leftKind, leftAt + row * leftRow + k * leftStep);
              }
            }
            for (int i = 0; i < 16; i++) {
              int column = firstColumn + lane;
              int k = first + i;
              if (rightStep == 1) {
                column = firstColumn + eighth + 16 * (i / 2);
                k = first + inEighth + 8 * (i % 2);
              }
              nextRight[i] = 0f;
              if (column < width && k < depth) {
                nextRight[i] = readRight(rightKind, rightAt + k * rightStep + column * rightColumn);
              }
            }
            int done = first - SLICE;
            if (done >= lowest && done <= highest) {
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
              int row = lane % CHUNK;
              int inSlice = 2 * i + lane / CHUNK;
              if (leftStep == 1) {
                row = eighth + 16 * (i / 2);
                inSlice = inEighth + 8 * (i % 2);
              }
              float number = nextLeft[i];
              int k = first + inSlice;
              if (k < depth && row < rows) {
                int place = k;
                if (weighsRows == 1) {
                  place = row;
                }
                if (unit == 1) {
                  number = strengths[k] * number;
                }
                if (unit == 1 && k == row) {
                  number = 1f;
                }
                number = weights[place] * number;
              }
              left[inSlice * ROW_STRIDE + row] = number;
            }
            for (int i = 0; i < 16; i++) {
              int to = i * COLUMN_STRIDE + lane;
              if (rightStep == 1) {
                to = (inEighth + 8 * (i % 2)) * COLUMN_STRIDE + eighth + 16 * (i / 2);
              }
              right[to] = nextRight[i];
            }
            localBarrier();
          }
          if (term == 0 && alongKeys == 1) {
            int along = keyAt + firstColumn;
            if (stage != QUERY_GRADIENTS) {
              along = along + keysFrom;
            }
            for (int i = 0; i < 8; i++) {
              int row = ty * 8 + i;
              for (int j = 0; j < 8; j++) {
                int column = tx + 16 * j;
                if (row < rows && firstColumn + column < width) {
                  dots[i] = fma(sums[i * 8 + j], key(along + row * keyStride + column), dots[i]);
                }
              }
            }
          }
        }
        for (int i = 0; i < 8; i++) {
          int row = ty * 8 + i;
          for (int j = 0; j < 8; j++) {
            int column = firstColumn + tx + 16 * j;
            if (row < rows && column < width) {
              float sum = sums[i * 8 + j];
              int inKeys = keyAt + row * keyStride + column;
              int inValues = valueAt + row * valueStride + column;
              int inState = stateAt + (firstRow + row) * valueWidth + column;
              if (own == 1 && stage == RESIDUALS) {
                sum = sum + solvedValues[inValues];
              }
              if (own == 1 && stage == VALUE_GRADIENTS) {
                sum = sum + solvedValues[gradientsFrom + inValues];
              }
              if (stage == KEY_GRADIENTS) {
                sum = sum + solvedKeys[inKeys];
              }
              if (stage == TRANSITIONS) {
                sum = -sum;
              }
              if (stage == TRANSITIONS && firstRow + row == column) {
                sum = sum + weight(RISE, lastToken, lastToken);
              }
              if (stage == SOLVE_VALUES || stage == RESIDUALS) {
                solvedValues[inValues] = sum;
              } else if (stage == SCORED_GRADIENTS || stage == SOLVE_GRADIENTS) {
                solvedValues[gradientsFrom + inValues] = sum;
              } else if (stage == SOLVE_KEYS || stage == KEY_READS) {
                solvedKeys[inKeys] = sum;
              } else if (stage == SOLVE_KEYS_BACK) {
                solvedKeys[keysFrom + inKeys] = sum;
              } else if (stage == TRANSITIONS) {
                chunkTransitions[transitionAt + row * keyWidth + column] = sum;
              } else if (stage == SUMMARIZE) {
                states[inState] = sum;
              } else if (stage == SUMMARIZE_GRADIENT) {
                stateGradients[inState] = sum;
              } else if (stage == QUERY_GRADIENTS) {
                writeKey(inKeys, sum);
              } else if (stage == KEY_GRADIENTS) {
                writeKey(keysFrom + inKeys, sum);
              } else if (stage == VALUE_GRADIENTS) {
                solvedValues[gradientsFrom + inValues] = sum;
                writeValue(inValues, strengths[row] * sum);
                dots[i] = fma(sum, solvedValues[inValues], dots[i]);
              } else {
                writeValue(inValues, sum);
              }
            }
          }
        }
      }
      for (int i = 0; i < 8; i++) {
        left[(ty * 8 + i) * 17 + tx] = dots[i];
      }
      localBarrier();
      if (lane < rows) {
        float dot = 0f;
        for (int i = 0; i < 16; i++) {
          dot = dot + left[lane * 17 + i];
        }
        int index = ofTokens + lane * heads;
        if (stage == VALUE_GRADIENTS) {
          betaOutputs[index] = dot;
        } else if (stage == QUERY_GRADIENTS) {
          gateRows[QUERY_READS_ROW * tokens * heads + index] = dot;
        } else if (stage == KEY_READS) {
          gateRows[KEY_READS_ROW * tokens * heads + index] = dot;
        } else if (stage == KEY_GRADIENTS) {
          gateRows[KEPT_ROW * tokens * heads + index] = dot;
        }
      }
    }
  }
}
