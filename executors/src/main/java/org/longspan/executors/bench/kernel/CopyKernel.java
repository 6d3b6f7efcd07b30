package org.longspan.executors.bench.kernel;

import org.longspan.executors.opencl.DeviceKernel;

/** Copies an array on the device, a number a work-item. */
final class CopyKernel extends DeviceKernel {
  final float[] from;
  final float[] to;
  int length;

  CopyKernel(int numbers) {
    this.from = new float[numbers];
    this.to = new float[numbers];
  }

  @Override
  public void run() {
    int i = getGlobalId();
    if (i < length) {
      to[i] = from[i];
    }
  }
}
