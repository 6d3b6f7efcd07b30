package org.longspan.executors.kernel;

import org.longspan.executors.opencl.LaunchShape;

/**
 * The backward of softmax attention in the form for GPUs, in four passes: the means, then dQ over
 * tiles of queries, dK and dV over tiles of keys. The three are one computation with the roles of
 * rows and columns exchanged: a work-group takes {@value #TILE} rows of a head and {@value #BLOCK}
 * columns of their gradient, goes over tiles of {@value #TILE} columns, and has weights for each
 * pair, which the third factor's rows are summed with.
 */
final class SoftmaxGradientTiles extends SoftmaxGradientKernel {
  static final int TILE = 64;
  static final int BLOCK = 128;
  private static final int PASSES = 4;
  private static final int GROUP = 128;
  private static final int PITCH = TILE + 1;
  private static final int SLICE = 32;

  /** A slice of the rows' factor, then the tile's weights. */
  @Local private final float[] left = new float[TILE * PITCH];

  /** A slice of the columns' factor, then one of the third factor. */
  @Local private final float[] right = new float[TILE * PITCH];

  @Local private final float[] tileSums = new float[TILE];
  @Local private final float[] tileMeans = new float[TILE];

  SoftmaxGradientTiles(SoftmaxRoom room) {
    super(room);
  }

  @Override
  LaunchShape launchShape() {
    int means = (rows * heads + GROUP - 1) / GROUP;
    int tiles = (Math.max(rows, columns) + TILE - 1) / TILE;
    int blocks = (Math.max(keyWidth, valueWidth) + BLOCK - 1) / BLOCK;
    return new LaunchShape(Math.max(means, heads * tiles * blocks), GROUP, PASSES);
  }

  @Override
  public void run() {
    int pass = getPassId();
    if (pass == 0) {
      mean(getGlobalId());
    } else if (pass == 1) {
      sum(
          queries,
          keys,
          outputGradients,
          values,
          keys,
          queryGradients,
          rows,
          columns,
          keyWidth,
          0,
          1);
    } else if (pass == 2) {
      sum(
          keys,
          queries,
          values,
          outputGradients,
          queries,
          keyGradients,
          columns,
          rows,
          keyWidth,
          1,
          1);
    } else {
      sum(
          keys,
          queries,
          values,
          outputGradients,
          outputGradients,
          valueGradients,
          columns,
          rows,
          valueWidth,
          1,
          0);
    }
  }

  private void mean(int item) {
    if (item < rows * heads) {
      float sum = 0f;
      for (int i = 0; i < valueWidth; i++) {
        sum = sum + outputs[item * valueWidth + i] * outputGradients[item * valueWidth + i];
      }
      means[item] = sum;
    }
  }

  /**
   * {@code results[d] = Σ_a weight(d, a) third[a]}: over the scores {@code downKeys · acrossKeys}
   * and, where {@code differentiated} is 1, the products {@code downValues · acrossValues}.
   *
   * @param swapped 1 where keys go down and queries across
   */
  private void sum(
      float[] downKeys,
      float[] acrossKeys,
      float[] downValues,
      float[] acrossValues,
      float[] third,
      float[] results,
      int downs,
      int acrosses,
      int resultWidth,
      int swapped,
      int differentiated) {
    int lane = getLocalId();
    int blocks = (resultWidth + BLOCK - 1) / BLOCK;
    int tiles = (downs + TILE - 1) / TILE;
    int head = getGroupId() / (tiles * blocks);
    if (head < heads) {
      int rest = getGroupId() - head * tiles * blocks;
      int at = rest / blocks;
      if (swapped == 0) {
        at = tiles - 1 - at;
      }
      int first = at * TILE;
      int firstResult = rest % blocks * BLOCK;
      int width = min(BLOCK, resultWidth - firstResult);
      int last = min(first + TILE, downs) - 1;
      int down = lane / 16;
      int across = lane % 16;
      int begin = 0;
      int end = 0;
      if (swapped == 0) {
        begin = lowest[first];
        end = last + halo + 1;
      } else {
        begin = max(0, first - halo);
        end = highest[last];
      }
      float[] sums = new float[64];
      for (int i = 0; i < 64; i++) {
        sums[i] = 0f;
      }
      for (int tile = begin / TILE * TILE; tile < end; tile += TILE) {
        float[] products = new float[32];
        float[] slopes = new float[32];
        for (int i = 0; i < 32; i++) {
          products[i] = 0f;
          slopes[i] = 0f;
        }
        // The products of values first, where they are needed; then those of keys.
        for (int factor = 1 - differentiated; factor < 2; factor++) {
          int factorWidth = valueWidth;
          if (factor == 1) {
            factorWidth = keyWidth;
          }
          for (int i = 0; i < 32; i++) {
            slopes[i] = products[i];
            products[i] = 0f;
          }
          for (int depth = 0; depth < factorWidth; depth += TILE) {
            localBarrier();
            if (factor == 1) {
              stagePair(
                  downKeys, acrossKeys, lane, first, downs, tile, acrosses, head, depth, keyWidth);
            } else {
              stagePair(
                  downValues,
                  acrossValues,
                  lane,
                  first,
                  downs,
                  tile,
                  acrosses,
                  head,
                  depth,
                  valueWidth);
            }
            localBarrier();
            int steps = (min(TILE, factorWidth - depth) + 3) / 4;
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
                    products[i * 4 + j] = products[i * 4 + j] + a[i] * b[j];
                  }
                }
              }
            }
          }
        }
        localBarrier();
        if (lane < TILE) {
          int query = first + lane;
          if (swapped == 1) {
            query = tile + lane;
          }
          query = min(query, rows - 1) * heads + head;
          tileSums[lane] = logSums[query];
          tileMeans[lane] = means[query];
        }
        localBarrier();
        for (int i = 0; i < 8; i++) {
          int r = min(first + down + 8 * i, downs - 1);
          int from = 0;
          int to = 0;
          if (swapped == 0) {
            from = lowest[r];
            to = r + halo + 1;
          } else {
            from = r - halo;
            to = highest[r];
          }
          for (int j = 0; j < 4; j++) {
            int c = tile + across + 16 * j;
            int query = down + 8 * i;
            if (swapped == 1) {
              query = across + 16 * j;
            }
            float weight = 0f;
            if (c >= from && c < to) {
              weight = exp(products[i * 4 + j] - tileSums[query]);
              if (differentiated == 1) {
                weight = weight * (slopes[i * 4 + j] - tileMeans[query]);
              }
            }
            left[(down + 8 * i) * PITCH + across + 16 * j] = weight;
          }
        }
        for (int slice = 0; slice < TILE; slice += SLICE) {
          localBarrier();
          stageThird(third, lane, tile + slice, acrosses, head, firstResult, width, resultWidth);
          localBarrier();
          for (int c = 0; c < SLICE; c++) {
            float[] a = new float[8];
            float[] b = new float[8];
            for (int i = 0; i < 8; i++) {
              a[i] = left[(down + 8 * i) * PITCH + slice + c];
            }
            for (int j = 0; j < 4; j++) {
              b[j] = right[c * BLOCK + across + 16 * j];
            }
            for (int i = 0; i < 8; i++) {
              for (int j = 0; j < 4; j++) {
                sums[i * 8 + j] = sums[i * 8 + j] + a[i] * b[j];
              }
            }
            if (width > TILE) {
              for (int j = 4; j < 8; j++) {
                b[j] = right[c * BLOCK + across + 16 * j];
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
      for (int i = 0; i < 8; i++) {
        int r = first + down + 8 * i;
        for (int j = 0; j < 8; j++) {
          int x = across + 16 * j;
          if (r < downs && x < width) {
            results[(r * heads + head) * resultWidth + firstResult + x] = sums[i * 8 + j];
          }
        }
      }
    }
  }

  /** Columns from {@code depth} on of a tile's two factors; zero outside. */
  private void stagePair(
      float[] downFactor,
      float[] acrossFactor,
      int lane,
      int first,
      int downs,
      int tile,
      int acrosses,
      int head,
      int depth,
      int width) {
    for (int i = lane; i < TILE * TILE; i += GROUP) {
      int r = i / TILE;
      int d = i % TILE;
      float x = 0f;
      float y = 0f;
      if (depth + d < width) {
        if (first + r < downs) {
          x = downFactor[((first + r) * heads + head) * width + depth + d];
        }
        if (tile + r < acrosses) {
          y = acrossFactor[((tile + r) * heads + head) * width + depth + d];
        }
      }
      left[r * PITCH + d] = x;
      right[r * PITCH + d] = y;
    }
  }

  /** Some rows of the third factor; zero outside. */
  private void stageThird(
      float[] third,
      int lane,
      int column,
      int acrosses,
      int head,
      int firstResult,
      int width,
      int resultWidth) {
    for (int i = lane; i < SLICE * BLOCK; i += GROUP) {
      int c = i / BLOCK;
      int x = i % BLOCK;
      float y = 0f;
      if (x < width && column + c < acrosses) {
        y = third[((column + c) * heads + head) * resultWidth + firstResult + x];
      }
      right[i] = y;
    }
  }
}
