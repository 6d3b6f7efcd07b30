package org.longspan.executors.bench.kernel;

import org.longspan.executors.opencl.DeviceKernel;

/** Nothing but multiplications and additions, {@value #SUMS} sums a work-item. */
final class MultiplyAddKernel extends DeviceKernel {
  static final int SUMS = 32;

  final float[] factors = {0.999f, 0.001f};
  final float[] results;
  int steps;

  MultiplyAddKernel(int items) {
    this.results = new float[items * SUMS];
  }

  @Override
  public void run() {
    float factor = factors[0];
    float added = factors[1];
    float[] sums = new float[SUMS];
    for (int i = 0; i < SUMS; i++) {
      sums[i] = added * i;
    }
    for (int step = 0; step < steps; step++) {
      for (int i = 0; i < SUMS; i++) {
        sums[i] = sums[i] * factor + added;
      }
    }
    int result = getGlobalId() * SUMS;
    for (int i = 0; i < SUMS; i++) {
      results[result + i] = sums[i];
    }
  }
}
