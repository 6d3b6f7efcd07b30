package org.longspan.executors.kernel;

import org.longspan.executors.opencl.LaunchShape;

/**
 * The backward of softmax attention in the form for processors, in two passes: dQ with a work-item
 * for a row of a head, then dK and dV with a work-item for a column of a head.
 */
final class SoftmaxGradientRows extends SoftmaxGradientKernel {
  /** The widest row of keys or values. */
  static final int WIDEST = 256;

  private static final int PASSES = 2;
  private static final int GROUP = 16;
  private static final int LANES = 8;

  SoftmaxGradientRows(SoftmaxRoom room) {
    super(room);
  }

  @Override
  LaunchShape launchShape() {
    return LaunchShape.covering((long) Math.max(rows, columns) * heads, GROUP, PASSES);
  }

  @Override
  public void run() {
    if (getPassId() == 0) {
      ofQueries(getGlobalId());
    } else {
      ofKeys(getGlobalId());
    }
  }

  private void ofQueries(int item) {
    int head = item / rows;
    int row = item - head * rows;
    if (head < heads) {
      float[] sums = new float[WIDEST];
      for (int x = 0; x < keyWidth; x++) {
        sums[x] = 0f;
      }
      int query = row * heads + head;
      for (int column = lowest[row]; column < ends[row]; column++) {
        int key = column * heads + head;
        float score = dot(queries, query * keyWidth, keys, key * keyWidth, keyWidth);
        float slope =
            dot(outputGradients, query * valueWidth, values, key * valueWidth, valueWidth);
        float weight = exp(score - logSums[query]) * (slope - means[query]);
        for (int x = 0; x < keyWidth; x++) {
          sums[x] = sums[x] + weight * keys[key * keyWidth + x];
        }
      }
      for (int x = 0; x < keyWidth; x++) {
        queryGradients[query * keyWidth + x] = sums[x];
      }
    }
  }

  private void ofKeys(int item) {
    int head = item / columns;
    int column = item - head * columns;
    if (head < heads) {
      float[] keySums = new float[WIDEST];
      float[] valueSums = new float[WIDEST];
      for (int x = 0; x < keyWidth; x++) {
        keySums[x] = 0f;
      }
      for (int x = 0; x < valueWidth; x++) {
        valueSums[x] = 0f;
      }
      int key = column * heads + head;
      for (int row = firsts[column]; row < highest[column]; row++) {
        int query = row * heads + head;
        float score = dot(queries, query * keyWidth, keys, key * keyWidth, keyWidth);
        float slope =
            dot(outputGradients, query * valueWidth, values, key * valueWidth, valueWidth);
        float share = exp(score - logSums[query]);
        float weight = share * (slope - means[query]);
        for (int x = 0; x < keyWidth; x++) {
          keySums[x] = keySums[x] + weight * queries[query * keyWidth + x];
        }
        for (int x = 0; x < valueWidth; x++) {
          valueSums[x] = valueSums[x] + share * outputGradients[query * valueWidth + x];
        }
      }
      for (int x = 0; x < keyWidth; x++) {
        keyGradients[key * keyWidth + x] = keySums[x];
      }
      for (int x = 0; x < valueWidth; x++) {
        valueGradients[key * valueWidth + x] = valueSums[x];
      }
    }
  }

  private float dot(float[] a, int fromA, float[] b, int fromB, int width) {
    float[] lanes = new float[LANES];
    for (int i = 0; i < LANES; i++) {
      lanes[i] = 0f;
    }
    int whole = width / LANES * LANES;
    for (int x = 0; x < whole; x += LANES) {
      for (int i = 0; i < LANES; i++) {
        lanes[i] = lanes[i] + a[fromA + x + i] * b[fromB + x + i];
      }
    }
    float sum = 0f;
    for (int x = whole; x < width; x++) {
      sum = sum + a[fromA + x] * b[fromB + x];
    }
    for (int i = 0; i < LANES; i++) {
      sum = sum + lanes[i];
    }
    return sum;
  }
}
