package org.longspan.executors.kernel;

import org.longspan.executors.opencl.LaunchShape;

/**
 * The backward of softmax attention in the form for GPUs, in three passes: dQ over tiles of
 * queries, dK and dV over tiles of keys. The three are one computation with the roles of rows and
 * columns exchanged: a work-group takes {@value #TILE} rows of a head and {@value #BLOCK} columns
 * of their gradient, goes over tiles of {@value #TILE} columns, and has weights for each pair,
 * which the third factor's rows are summed with.
 */
final class SoftmaxGradientTiles extends SoftmaxGradientKernel {
  static final int TILE = 64;
  static final int BLOCK = 128;
  private static final int PASSES = 3;
  private static final int OF_QUERIES = 0;
  private static final int OF_KEYS = 1;
  private static final int OF_VALUES = 2;
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
    int tiles = (Math.max(rows, columns) + TILE - 1) / TILE;
    int blocks = (Math.max(keyWidth, valueWidth) + BLOCK - 1) / BLOCK;
    return new LaunchShape(heads * tiles * blocks, GROUP, PASSES);
  }

  @Override
  public void run() {
    sum(getPassId());
  }

  /** {@code result(d) = Σ_a weight(d, a) third(a)} for a tile of rows d. */
  private void sum(int pass) {
    int swapped = 0;
    int downs = rows;
    int acrosses = columns;
    int resultWidth = keyWidth;
    int differentiated = 1;
    if (pass != OF_QUERIES) {
      swapped = 1;
      downs = columns;
      acrosses = rows;
    }
    if (pass == OF_VALUES) {
      differentiated = 0;
      resultWidth = valueWidth;
    }
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
        end = ends[last];
      } else {
        begin = firsts[first];
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
            stagePair(
                swapped, factor, lane, first, downs, tile, acrosses, head, depth, factorWidth);
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
          for (int j = 0; j < 4; j++) {
            left[(down + 8 * i) * PITCH + across + 16 * j] = products[i * 4 + j];
          }
        }
        if (differentiated == 1) {
          for (int i = 0; i < 8; i++) {
            for (int j = 0; j < 4; j++) {
              right[(down + 8 * i) * PITCH + across + 16 * j] = slopes[i * 4 + j];
            }
          }
        }
        localBarrier();
        weigh(lane, swapped, differentiated, first, downs, tile);
        for (int slice = 0; slice < TILE; slice += SLICE) {
          localBarrier();
          stageThird(pass, lane, tile + slice, acrosses, head, firstResult, width, resultWidth);
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
      localBarrier();
      // Apart, since compilers keep an array in registers only where they unroll every loop over
      // it.
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
        if (first + r < downs) {
          int result = ((first + r) * heads + head) * resultWidth + firstResult + x;
          if (x < width) {
            store(pass, result, left[r * PITCH + x]);
          }
          if (TILE + x < width) {
            store(pass, result + TILE, right[r * PITCH + x]);
          }
        }
      }
    }
  }

  /** From scores, and slopes, of a tile to the weights of its pairs. */
  private void weigh(int lane, int swapped, int differentiated, int first, int downs, int tile) {
    int down = lane % TILE;
    int r = min(first + down, downs - 1);
    int from = 0;
    int to = 0;
    if (swapped == 0) {
      from = lowest[r];
      to = ends[r];
    } else {
      from = firsts[r];
      to = highest[r];
    }
    int begin = lane / TILE * SLICE;
    for (int across = begin; across < begin + SLICE; across++) {
      int query = down;
      if (swapped == 1) {
        query = across;
      }
      int at = down * PITCH + across;
      float weight = 0f;
      if (tile + across >= from && tile + across < to) {
        weight = exp(left[at] - tileSums[query]);
        if (differentiated == 1) {
          weight = weight * (right[at] - tileMeans[query]);
        }
      }
      left[at] = weight;
    }
  }

  private void store(int pass, int at, float result) {
    if (pass == OF_QUERIES) {
      writeQueryGradient(at, result);
    } else if (pass == OF_KEYS) {
      writeKeyGradient(at, result);
    } else {
      writeValueGradient(at, result);
    }
  }

  /** Columns from {@code depth} on of a tile's two factors; zero outside. */
  private void stagePair(
      int swapped,
      int factor,
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
        int a = ((first + r) * heads + head) * width + depth + d;
        int b = ((tile + r) * heads + head) * width + depth + d;
        if (first + r < downs) {
          x = factorOf(swapped, factor, a);
        }
        if (tile + r < acrosses) {
          y = factorOf(1 - swapped, factor, b);
        }
      }
      left[r * PITCH + d] = x;
      right[r * PITCH + d] = y;
    }
  }

  /** A number of the keys' side or the queries' side of a product. */
  private float factorOf(int side, int factor, int at) {
    float x = 0f;
    if (factor == 1) {
      if (side == 0) {
        x = query(at);
      } else {
        x = key(at);
      }
    } else {
      if (side == 0) {
        x = outputGradient(at);
      } else {
        x = value(at);
      }
    }
    return x;
  }

  /** Some rows of the third factor; zero outside. */
  private void stageThird(
      int pass,
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
        int at = ((column + c) * heads + head) * resultWidth + firstResult + x;
        if (pass == OF_QUERIES) {
          y = key(at);
        } else if (pass == OF_KEYS) {
          y = query(at);
        } else {
          y = outputGradient(at);
        }
      }
      right[i] = y;
    }
  }
}
