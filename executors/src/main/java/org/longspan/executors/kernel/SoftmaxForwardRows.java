package org.longspan.executors.kernel;

import org.longspan.executors.opencl.LaunchShape;

/**
 * The forward of softmax attention in the form for processors: a work-item takes a row of a head
 * and goes over its keys, {@value #KEYS} at a time.
 */
final class SoftmaxForwardRows extends SoftmaxForwardKernel {
  /** The widest row of values. */
  static final int WIDEST = 256;

  private static final int GROUP = 16;
  private static final int KEYS = 4;
  private static final int LANES = 8;

  SoftmaxForwardRows(SoftmaxRoom room) {
    super(room);
  }

  @Override
  LaunchShape launchShape() {
    return LaunchShape.covering((long) rows * heads, GROUP, 1);
  }

  @Override
  public void run() {
    int head = getGlobalId() / rows;
    int row = getGlobalId() - head * rows;
    if (head < heads) {
      float[] sums = new float[WIDEST];
      for (int x = 0; x < valueWidth; x++) {
        sums[x] = 0f;
      }
      float maximum = NOTHING;
      float sum = 0f;
      int query = (row * heads + head) * keyWidth;
      int whole = keyWidth / LANES * LANES;
      int end = ends[row];
      for (int column = lowest[row]; column < end; column += KEYS) {
        float[] scores = new float[KEYS];
        float most = maximum;
        for (int c = 0; c < KEYS; c++) {
          scores[c] = NOTHING;
          if (column + c < end) {
            int key = ((column + c) * heads + head) * keyWidth;
            float[] lanes = new float[LANES];
            for (int i = 0; i < LANES; i++) {
              lanes[i] = 0f;
            }
            for (int x = 0; x < whole; x += LANES) {
              for (int i = 0; i < LANES; i++) {
                lanes[i] = lanes[i] + queries[query + x + i] * keys[key + x + i];
              }
            }
            float score = 0f;
            for (int x = whole; x < keyWidth; x++) {
              score = score + queries[query + x] * keys[key + x];
            }
            for (int i = 0; i < LANES; i++) {
              score = score + lanes[i];
            }
            scores[c] = score;
            most = max(most, score);
          }
        }
        if (most > maximum) {
          float fade = exp(maximum - most);
          maximum = most;
          sum = sum * fade;
          for (int x = 0; x < valueWidth; x++) {
            sums[x] = sums[x] * fade;
          }
        }
        for (int c = 0; c < KEYS; c++) {
          if (column + c < end) {
            float weight = exp(scores[c] - maximum);
            sum = sum + weight;
            int value = ((column + c) * heads + head) * valueWidth;
            for (int x = 0; x < valueWidth; x++) {
              sums[x] = sums[x] + weight * values[value + x];
            }
          }
        }
      }
      int output = (row * heads + head) * valueWidth;
      for (int x = 0; x < valueWidth; x++) {
        outputs[output + x] = sums[x] / sum;
      }
      logSums[row * heads + head] = maximum + log(sum);
    }
  }
}
