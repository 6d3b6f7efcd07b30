package org.longspan.executors.kernel;

import org.longspan.executors.opencl.LaunchShape;

/**
 * The backward of softmax attention in the form for GPUs, in three passes: dQ over tiles of
 * queries, dK and dV over tiles of keys. The three are one computation with the roles of rows and
 * columns exchanged: a work-group takes {@value #TILE} rows of a head and {@value #BLOCK} columns
 * of their gradient, goes over tiles of {@value #TILE} columns, and has weights for each pair,
 * which the third factor's rows are summed with. Slices of all factors lie in local memory, read
 * four numbers at a time, and work-items' rows and columns are interleaved as in {@link
 * SoftmaxForwardTiles}.
 */
final class SoftmaxGradientTiles extends SoftmaxGradientKernel {
  static final int TILE = 64;
  static final int BLOCK = 128;
  private static final int PASSES = 3;
  private static final int OF_QUERIES = 0;
  private static final int OF_KEYS = 1;
  private static final int OF_VALUES = 2;
  private static final int GROUP = 128;
  private static final int STRIDE = TILE + 4;
  private static final int BLOCK_STRIDE = BLOCK + 4;
  private static final int SLICE = 32;
  private static final int TILE_NUMBERS = TILE * STRIDE;

  /** A slice of the rows' factor, then the tile's weights; one of the columns', then the third. */
  @Local private final float[] tiles = new float[3 + 2 * TILE_NUMBERS];

  @Local private final float[] tileSums = new float[TILE];
  @Local private final float[] tileMeans = new float[TILE];
  @Local private final int[] tileFrom = new int[TILE];
  @Local private final int[] tileTo = new int[TILE];

  SoftmaxGradientTiles(SoftmaxRoom room) {
    super(room);
  }

  @Override
  LaunchShape launchShape() {
    int rowTiles = (Math.max(rows, columns) + TILE - 1) / TILE;
    int blocks = (Math.max(keyWidth, valueWidth) + BLOCK - 1) / BLOCK;
    return new LaunchShape(heads * rowTiles * blocks, GROUP, PASSES);
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
    int rowTiles = (downs + TILE - 1) / TILE;
    int head = getGroupId() / (rowTiles * blocks);
    if (head < heads) {
      int rest = getGroupId() - head * rowTiles * blocks;
      int at = rest / blocks;
      if (swapped == 0) {
        at = rowTiles - 1 - at;
      }
      int first = at * TILE;
      int firstResult = rest % blocks * BLOCK;
      int width = min(BLOCK, resultWidth - firstResult);
      int last = min(first + TILE, downs) - 1;
      int left = firstWhole(tiles);
      int right = left + TILE_NUMBERS;
      int ownRow = lane / 64 * 32 + lane % 32 / 8;
      int ownColumn = lane / 32 % 2 * 32 + lane % 8;
      int ownResult = lane / 32 % 2 * 32 + lane % 8 * 4;
      int begin = 0;
      int end = 0;
      if (swapped == 0) {
        begin = lowest[first];
        end = ends[last];
      } else {
        begin = firsts[first];
        end = highest[last];
      }
      if (lane < TILE) {
        int from = 0;
        int to = 0;
        if (first + lane < downs) {
          if (swapped == 0) {
            from = lowest[first + lane];
            to = ends[first + lane];
          } else {
            from = firsts[first + lane];
            to = highest[first + lane];
          }
        }
        tileFrom[lane] = from;
        tileTo[lane] = to;
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
            stage(2 * factor + swapped, left, lane, first, downs, head, depth);
            stage(2 * factor + 1 - swapped, right, lane, tile, acrosses, head, depth);
            localBarrier();
            int steps = min(TILE, factorWidth - depth);
            for (int step = 0; step < steps; step += 4) {
              float[] a = new float[4];
              float[] b = new float[16];
              for (int j = 0; j < 4; j++) {
                readLocal(tiles, right + (ownColumn + 8 * j) * STRIDE + step, b, 4 * j);
              }
              for (int i = 0; i < 8; i++) {
                readLocal(tiles, left + (ownRow + 4 * i) * STRIDE + step, a, 0);
                for (int j = 0; j < 4; j++) {
                  float product = products[i * 4 + j];
                  for (int u = 0; u < 4; u++) {
                    product = fma(a[u], b[4 * j + u], product);
                  }
                  products[i * 4 + j] = product;
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
          int down = ownRow + 4 * i;
          int from = tileFrom[down] - tile;
          int to = tileTo[down] - tile;
          for (int j = 0; j < 4; j++) {
            int across = ownColumn + 8 * j;
            int query = down;
            if (swapped == 1) {
              query = across;
            }
            float weight = 0f;
            if (across >= from && across < to) {
              weight = exp(products[i * 4 + j] - tileSums[query]);
              if (differentiated == 1) {
                weight = weight * (slopes[i * 4 + j] - tileMeans[query]);
              }
            }
            tiles[left + down * STRIDE + across] = weight;
          }
        }
        for (int slice = 0; slice < TILE; slice += SLICE) {
          localBarrier();
          stageThird(
              pass, right, lane, tile + slice, acrosses, head, firstResult, width, resultWidth);
          localBarrier();
          for (int c = 0; c < SLICE; c += 4) {
            float[] a = new float[32];
            float[] b = new float[4];
            for (int i = 0; i < 8; i++) {
              readLocal(tiles, left + (ownRow + 4 * i) * STRIDE + slice + c, a, 4 * i);
            }
            for (int u = 0; u < 4; u++) {
              int third = right + (c + u) * BLOCK_STRIDE + ownResult;
              readLocal(tiles, third, b, 0);
              for (int i = 0; i < 8; i++) {
                for (int j = 0; j < 4; j++) {
                  sums[i * 8 + j] = fma(a[4 * i + u], b[j], sums[i * 8 + j]);
                }
              }
              if (width > TILE) {
                readLocal(tiles, third + TILE, b, 0);
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
      for (int i = 0; i < 8; i++) {
        int r = first + ownRow + 4 * i;
        if (r < downs) {
          int result = (r * heads + head) * resultWidth + firstResult + ownResult;
          if (ownResult < width) {
            if (pass == OF_QUERIES) {
              writeKept(queryGradients, queryGradientHalves, result, sums, i * 8);
            } else if (pass == OF_KEYS) {
              writeKept(keyGradients, keyGradientHalves, result, sums, i * 8);
            } else {
              writeKept(valueGradients, valueGradientHalves, result, sums, i * 8);
            }
          }
          if (TILE + ownResult < width) {
            if (pass == OF_QUERIES) {
              writeKept(queryGradients, queryGradientHalves, result + TILE, sums, i * 8 + 4);
            } else if (pass == OF_KEYS) {
              writeKept(keyGradients, keyGradientHalves, result + TILE, sums, i * 8 + 4);
            } else {
              writeKept(valueGradients, valueGradientHalves, result + TILE, sums, i * 8 + 4);
            }
          }
        }
      }
    }
  }

  /**
   * Columns from {@code depth} on of a tile's outputs' gradients (kind 0), values (1), queries (2)
   * or keys (3); zero outside.
   */
  private void stage(int kind, int at, int lane, int first, int count, int head, int depth) {
    int place = lane / 16;
    int column = lane % 16 * 4;
    int width = valueWidth;
    if (kind >= 2) {
      width = keyWidth;
    }
    float[] next = new float[32];
    for (int i = 0; i < 32; i++) {
      next[i] = 0f;
    }
    if (depth + column < width) {
      int from = ((first + place) * heads + head) * width + depth + column;
      int step = 8 * heads * width;
      if (kind == 0) {
        for (int i = 0; i < 8; i++) {
          if (first + place + 8 * i < count) {
            readKept(outputGradients, outputGradientHalves, from + i * step, next, 4 * i);
          }
        }
      } else if (kind == 1) {
        for (int i = 0; i < 8; i++) {
          if (first + place + 8 * i < count) {
            readKept(values, valueHalves, from + i * step, next, 4 * i);
          }
        }
      } else if (kind == 2) {
        for (int i = 0; i < 8; i++) {
          if (first + place + 8 * i < count) {
            readKept(queries, queryHalves, from + i * step, next, 4 * i);
          }
        }
      } else {
        for (int i = 0; i < 8; i++) {
          if (first + place + 8 * i < count) {
            readKept(keys, keyHalves, from + i * step, next, 4 * i);
          }
        }
      }
    }
    for (int i = 0; i < 8; i++) {
      writeLocal(tiles, at + (place + 8 * i) * STRIDE + column, next, 4 * i);
    }
  }

  /** Some rows of the third factor; zero outside. */
  private void stageThird(
      int pass,
      int at,
      int lane,
      int first,
      int count,
      int head,
      int firstResult,
      int width,
      int resultWidth) {
    int place = lane / 32;
    int column = lane % 32 * 4;
    float[] next = new float[32];
    for (int i = 0; i < 32; i++) {
      next[i] = 0f;
    }
    if (column < width) {
      int from = ((first + place) * heads + head) * resultWidth + firstResult + column;
      int step = 4 * heads * resultWidth;
      if (pass == OF_QUERIES) {
        for (int i = 0; i < 8; i++) {
          if (first + place + 4 * i < count) {
            readKept(keys, keyHalves, from + i * step, next, 4 * i);
          }
        }
      } else if (pass == OF_KEYS) {
        for (int i = 0; i < 8; i++) {
          if (first + place + 4 * i < count) {
            readKept(queries, queryHalves, from + i * step, next, 4 * i);
          }
        }
      } else {
        for (int i = 0; i < 8; i++) {
          if (first + place + 4 * i < count) {
            readKept(outputGradients, outputGradientHalves, from + i * step, next, 4 * i);
          }
        }
      }
    }
    for (int i = 0; i < 8; i++) {
      writeLocal(tiles, at + (place + 4 * i) * BLOCK_STRIDE + column, next, 4 * i);
    }
  }
}
