package org.longspan.executors.kernel;

import org.longspan.executors.opencl.LaunchShape;

/**
 * The forward of softmax attention in the form for GPUs (FlashAttention-2, arXiv 2307.08691): a
 * work-group takes {@value #TILE} queries of a head and {@value #VALUES} columns of their values,
 * and goes over tiles of {@value #TILE} keys. Slices of queries, keys and values lie in local
 * memory; each work-item holds 8 × 4 scores and 8 × 8 sums of outputs in registers. Long rows go
 * first, so that none is left over at the end.
 */
final class SoftmaxForwardTiles extends SoftmaxForwardKernel {
  static final int TILE = 64;
  static final int VALUES = 128;
  private static final int GROUP = 128;
  private static final int PITCH = TILE + 1;
  private static final int SLICE = 32;

  /** A slice of queries, then the tile's scores and weights; in the end outputs. */
  @Local private final float[] left = new float[TILE * PITCH];

  /** A slice of keys, then one of values; in the end outputs. */
  @Local private final float[] right = new float[TILE * PITCH];

  @Local private final float[] halves = new float[2 * TILE];
  @Local private final float[] factors = new float[TILE];

  SoftmaxForwardTiles(SoftmaxRoom room) {
    super(room);
  }

  @Override
  LaunchShape launchShape() {
    int tiles = (rows + TILE - 1) / TILE;
    int blocks = (valueWidth + VALUES - 1) / VALUES;
    return new LaunchShape(heads * tiles * blocks, GROUP, 1);
  }

  @Override
  public void run() {
    int lane = getLocalId();
    int blocks = (valueWidth + VALUES - 1) / VALUES;
    int tiles = (rows + TILE - 1) / TILE;
    int head = getGroupId() / (tiles * blocks);
    int rest = getGroupId() - head * tiles * blocks;
    int first = (tiles - 1 - rest / blocks) * TILE;
    int firstValue = rest % blocks * VALUES;
    int width = min(VALUES, valueWidth - firstValue);
    int down = lane / 16;
    int across = lane % 16;
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
        stageKeys(lane, first, tile, head, depth);
        localBarrier();
        int steps = (min(TILE, keyWidth - depth) + 3) / 4;
        for (int step = 0; step < steps; step++) {
          for (int u = 0; u < 4; u++) {
            float[] a = new float[8];
            float[] b = new float[4];
            for (int i = 0; i < 8; i++) {
              a[i] = left[(down + 8 * i) * PITCH + step * 4 + u];
            }
            for (int j = 0; j < 4; j++) {
              b[j] = right[(across + 16 * j) * PITCH + step * 4 + u];
            }
            for (int i = 0; i < 8; i++) {
              for (int j = 0; j < 4; j++) {
                scores[i * 4 + j] = scores[i * 4 + j] + a[i] * b[j];
              }
            }
          }
        }
      }
      localBarrier();
      for (int i = 0; i < 8; i++) {
        for (int j = 0; j < 4; j++) {
          left[(down + 8 * i) * PITCH + across + 16 * j] = scores[i * 4 + j];
        }
      }
      localBarrier();
      // Two work-items share a row's softmax.
      int begin = row * PITCH + part;
      int seenFrom = from - tile - part;
      int seenTo = to - tile - part;
      float most = NOTHING;
      for (int c = 0; c < SLICE; c++) {
        if (c >= seenFrom && c < seenTo) {
          most = max(most, left[begin + c]);
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
          weight = exp(left[begin + c] - most);
        }
        left[begin + c] = weight;
        sum = sum + weight;
      }
      factors[row] = fade;
      localBarrier();
      for (int i = 0; i < 8; i++) {
        float factor = factors[down + 8 * i];
        for (int j = 0; j < 8; j++) {
          sums[i * 8 + j] = sums[i * 8 + j] * factor;
        }
      }
      for (int slice = 0; slice < TILE; slice += SLICE) {
        localBarrier();
        stageValues(lane, tile + slice, head, firstValue, width);
        localBarrier();
        for (int c = 0; c < SLICE; c++) {
          float[] a = new float[8];
          float[] b = new float[8];
          for (int i = 0; i < 8; i++) {
            a[i] = left[(down + 8 * i) * PITCH + slice + c];
          }
          for (int j = 0; j < 4; j++) {
            b[j] = right[c * VALUES + across + 16 * j];
          }
          for (int i = 0; i < 8; i++) {
            for (int j = 0; j < 4; j++) {
              sums[i * 8 + j] = sums[i * 8 + j] + a[i] * b[j];
            }
          }
          if (width > TILE) {
            for (int j = 4; j < 8; j++) {
              b[j] = right[c * VALUES + across + 16 * j];
            }
            for (int i = 0; i < 8; i++) {
              for (int j = 4; j < 8; j++) {
                sums[i * 8 + j] = sums[i * 8 + j] + a[i] * b[j];
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
      float factor = factors[down + 8 * i];
      for (int j = 0; j < 8; j++) {
        sums[i * 8 + j] = sums[i * 8 + j] * factor;
      }
    }
    for (int i = 0; i < 8; i++) {
      for (int j = 0; j < 4; j++) {
        left[(down + 8 * i) * PITCH + across + 16 * j] = sums[i * 8 + j];
      }
    }
    for (int i = 0; i < 8; i++) {
      for (int j = 0; j < 4; j++) {
        right[(down + 8 * i) * PITCH + across + 16 * j] = sums[i * 8 + 4 + j];
      }
    }
    localBarrier();
    for (int i = lane; i < TILE * TILE; i += GROUP) {
      int r = i / TILE;
      int x = i % TILE;
      if (first + r < rows) {
        int output = ((first + r) * heads + head) * valueWidth + firstValue + x;
        if (x < width) {
          writeOutput(output, left[r * PITCH + x]);
        }
        if (TILE + x < width) {
          writeOutput(output + TILE, right[r * PITCH + x]);
        }
      }
    }
  }

  /** Columns from {@code depth} on of a tile's queries and keys; zero outside. */
  private void stageKeys(int lane, int first, int tile, int head, int depth) {
    for (int i = lane; i < TILE * TILE; i += GROUP) {
      int r = i / TILE;
      int d = i % TILE;
      float x = 0f;
      float y = 0f;
      if (depth + d < keyWidth) {
        if (first + r < rows) {
          x = query(((first + r) * heads + head) * keyWidth + depth + d);
        }
        if (tile + r < columns) {
          y = key(((tile + r) * heads + head) * keyWidth + depth + d);
        }
      }
      left[r * PITCH + d] = x;
      right[r * PITCH + d] = y;
    }
  }

  /** Values of some keys; zero outside. */
  private void stageValues(int lane, int column, int head, int firstValue, int width) {
    for (int i = lane; i < SLICE * VALUES; i += GROUP) {
      int c = i / VALUES;
      int x = i % VALUES;
      float y = 0f;
      if (x < width && column + c < columns) {
        y = value(((column + c) * heads + head) * valueWidth + firstValue + x);
      }
      right[i] = y;
    }
  }
}
