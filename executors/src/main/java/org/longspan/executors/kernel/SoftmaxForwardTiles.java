package org.longspan.executors.kernel;

import org.longspan.executors.opencl.LaunchShape;

/**
 * The forward of softmax attention in the form for GPUs (FlashAttention-2, arXiv 2307.08691): a
 * work-group takes {@value #TILE} queries of a head and {@value #VALUES} columns of their values,
 * and goes over tiles of {@value #TILE} keys. Slices of queries, keys and values lie in local
 * memory, read four numbers at a time; each work-item holds 8 × 4 scores and 8 × 8 sums of outputs
 * in registers, 32 work-items side by side 4 × 8 such parts, their rows and keys interleaved so
 * that what they read at once lies in different banks. Long rows go first, so that none is left
 * over at the end.
 */
final class SoftmaxForwardTiles extends SoftmaxForwardKernel {
  static final int TILE = 64;
  static final int VALUES = 128;
  private static final int GROUP = 128;
  private static final int STRIDE = TILE + 4;
  private static final int VALUE_STRIDE = VALUES + 4;
  private static final int SLICE = 32;
  private static final int TILE_NUMBERS = TILE * STRIDE;

  /** A slice of queries, then the tile's scores and weights; a slice of keys, then of values. */
  @Local private final float[] tiles = new float[3 + 2 * TILE_NUMBERS];

  @Local private final float[] halves = new float[2 * TILE];
  @Local private final float[] factors = new float[TILE];

  SoftmaxForwardTiles(SoftmaxRoom room) {
    super(room);
  }

  @Override
  LaunchShape launchShape() {
    int queryTiles = (rows + TILE - 1) / TILE;
    int blocks = (valueWidth + VALUES - 1) / VALUES;
    return new LaunchShape(heads * queryTiles * blocks, GROUP, 1);
  }

  @Override
  public void run() {
    int lane = getLocalId();
    int blocks = (valueWidth + VALUES - 1) / VALUES;
    int queryTiles = (rows + TILE - 1) / TILE;
    int head = getGroupId() / (queryTiles * blocks);
    int rest = getGroupId() - head * queryTiles * blocks;
    int first = (queryTiles - 1 - rest / blocks) * TILE;
    int firstValue = rest % blocks * VALUES;
    int width = min(VALUES, valueWidth - firstValue);
    int left = firstWhole(tiles);
    int right = left + TILE_NUMBERS;
    // Rows are 4 apart; keys 8 apart, columns of values 4 side by side and those 64 further on.
    int ownRow = lane / 64 * 32 + lane % 32 / 8;
    int ownKey = lane / 32 % 2 * 32 + lane % 8;
    int ownValue = lane / 32 % 2 * 32 + lane % 8 * 4;
    // Two work-items share a row's softmax.
    int row = lane % TILE;
    int part = lane / TILE * SLICE;
    int query = min(first + row, rows - 1);
    int from = lowest[query];
    int to = ends[query];
    float maximum = NOTHING;
    float sum = 0f;
    float[] sums = new float[64];
    for (int i = 0; i < 64; i++) {
      sums[i] = 0f;
    }
    int end = ends[min(first + TILE, rows) - 1];
    for (int tile = lowest[first] / TILE * TILE; tile < end; tile += TILE) {
      float[] scores = new float[32];
      for (int i = 0; i < 32; i++) {
        scores[i] = 0f;
      }
      for (int depth = 0; depth < keyWidth; depth += TILE) {
        localBarrier();
        stage(0, left, lane, first, rows, head, depth);
        stage(1, right, lane, tile, columns, head, depth);
        localBarrier();
        int steps = min(TILE, keyWidth - depth);
        for (int step = 0; step < steps; step += 4) {
          float[] a = new float[4];
          float[] b = new float[16];
          for (int j = 0; j < 4; j++) {
            readLocal(tiles, right + (ownKey + 8 * j) * STRIDE + step, b, 4 * j);
          }
          for (int i = 0; i < 8; i++) {
            readLocal(tiles, left + (ownRow + 4 * i) * STRIDE + step, a, 0);
            for (int j = 0; j < 4; j++) {
              float score = scores[i * 4 + j];
              for (int u = 0; u < 4; u++) {
                score = fma(a[u], b[4 * j + u], score);
              }
              scores[i * 4 + j] = score;
            }
          }
        }
      }
      localBarrier();
      for (int i = 0; i < 8; i++) {
        for (int j = 0; j < 4; j++) {
          tiles[left + (ownRow + 4 * i) * STRIDE + ownKey + 8 * j] = scores[i * 4 + j];
        }
      }
      localBarrier();
      int begin = left + row * STRIDE + part;
      int seenFrom = from - tile - part;
      int seenTo = to - tile - part;
      for (int i = 0; i < 8; i++) {
        readLocal(tiles, begin + 4 * i, scores, 4 * i);
      }
      float most = NOTHING;
      for (int c = 0; c < SLICE; c++) {
        if (c >= seenFrom && c < seenTo) {
          most = max(most, scores[c]);
        }
      }
      halves[lane] = most;
      localBarrier();
      most = max(maximum, max(halves[row], halves[TILE + row]));
      float fade = exp(maximum - most);
      maximum = most;
      sum = sum * fade;
      for (int c = 0; c < SLICE; c++) {
        float weight = 0f;
        if (c >= seenFrom && c < seenTo) {
          weight = exp(scores[c] - most);
        }
        scores[c] = weight;
        sum = sum + weight;
      }
      for (int i = 0; i < 8; i++) {
        writeLocal(tiles, begin + 4 * i, scores, 4 * i);
      }
      factors[row] = fade;
      localBarrier();
      for (int i = 0; i < 8; i++) {
        float factor = factors[ownRow + 4 * i];
        for (int j = 0; j < 8; j++) {
          sums[i * 8 + j] = sums[i * 8 + j] * factor;
        }
      }
      for (int slice = 0; slice < TILE; slice += SLICE) {
        localBarrier();
        stageValues(right, lane, tile + slice, head, firstValue, width);
        localBarrier();
        for (int c = 0; c < SLICE; c += 4) {
          float[] a = new float[32];
          float[] b = new float[4];
          for (int i = 0; i < 8; i++) {
            readLocal(tiles, left + (ownRow + 4 * i) * STRIDE + slice + c, a, 4 * i);
          }
          for (int u = 0; u < 4; u++) {
            int at = right + (c + u) * VALUE_STRIDE + ownValue;
            readLocal(tiles, at, b, 0);
            for (int i = 0; i < 8; i++) {
              for (int j = 0; j < 4; j++) {
                sums[i * 8 + j] = fma(a[4 * i + u], b[j], sums[i * 8 + j]);
              }
            }
            if (width > TILE) {
              readLocal(tiles, at + TILE, b, 0);
              for (int i = 0; i < 8; i++) {
                for (int j = 0; j < 4; j++) {
                  sums[i * 8 + 4 + j] = fma(a[4 * i + u], b[j], sums[i * 8 + 4 + j]);
                }
              }
            }
          }
        }
      }
    }
    localBarrier();
    halves[lane] = sum;
    localBarrier();
    float total = halves[row] + halves[TILE + row];
    factors[row] = 1f / total;
    if (part == 0 && firstValue == 0 && first + row < rows) {
      logSums[(first + row) * heads + head] = maximum + log(total);
    }
    localBarrier();
    // Apart, since compilers keep an array in registers only where they unroll every loop over it.
    for (int i = 0; i < 8; i++) {
      float factor = factors[ownRow + 4 * i];
      for (int j = 0; j < 8; j++) {
        sums[i * 8 + j] = sums[i * 8 + j] * factor;
      }
    }
    for (int i = 0; i < 8; i++) {
      int r = first + ownRow + 4 * i;
      if (r < rows) {
        int output = (r * heads + head) * valueWidth + firstValue + ownValue;
        if (ownValue < width) {
          writeKept(outputs, outputHalves, output, sums, i * 8);
        }
        if (TILE + ownValue < width) {
          writeKept(outputs, outputHalves, output + TILE, sums, i * 8 + 4);
        }
      }
    }
  }

  /** Columns from {@code depth} on of a tile's queries (side 0) or keys (1); zero outside. */
  private void stage(int side, int at, int lane, int first, int count, int head, int depth) {
    int place = lane / 16;
    int column = lane % 16 * 4;
    float[] next = new float[32];
    for (int i = 0; i < 32; i++) {
      next[i] = 0f;
    }
    if (depth + column < keyWidth) {
      int from = ((first + place) * heads + head) * keyWidth + depth + column;
      if (side == 0) {
        for (int i = 0; i < 8; i++) {
          if (first + place + 8 * i < count) {
            readKept(queries, queryHalves, from + 8 * i * heads * keyWidth, next, 4 * i);
          }
        }
      } else {
        for (int i = 0; i < 8; i++) {
          if (first + place + 8 * i < count) {
            readKept(keys, keyHalves, from + 8 * i * heads * keyWidth, next, 4 * i);
          }
        }
      }
    }
    for (int i = 0; i < 8; i++) {
      writeLocal(tiles, at + (place + 8 * i) * STRIDE + column, next, 4 * i);
    }
  }

  /** Values of some keys; zero outside. */
  private void stageValues(int at, int lane, int first, int head, int firstValue, int width) {
    int place = lane / 32;
    int column = lane % 32 * 4;
    float[] next = new float[32];
    for (int i = 0; i < 32; i++) {
      next[i] = 0f;
    }
    if (column < width) {
      int from = ((first + place) * heads + head) * valueWidth + firstValue + column;
      for (int i = 0; i < 8; i++) {
        if (first + place + 4 * i < columns) {
          readKept(values, valueHalves, from + 4 * i * heads * valueWidth, next, 4 * i);
        }
      }
    }
    for (int i = 0; i < 8; i++) {
      writeLocal(tiles, at + (place + 4 * i) * VALUE_STRIDE + column, next, 4 * i);
    }
  }
}
