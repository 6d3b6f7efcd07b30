package org.longspan.executors.bench.kernel;

import org.longspan.executors.opencl.DeviceKernel;

/** Copies an array on the device, {@value #NUMBERS} numbers a work-item, a group's side by side. */
final class CopyKernel extends DeviceKernel {
  static final int NUMBERS = 8;

  final float[] from;
  final float[] to;
  int length;

  CopyKernel(int numbers) {
    this.from = new float[numbers];
    this.to = new float[numbers];
  }

  @Override
  public void run() {
    int first = getGroupId() * getLocalSize() * NUMBERS + getLocalId();
    for (int n = 0; n < NUMBERS; n++) {
      int i = first + n * getLocalSize();
      if (i < length) {
        to[i] = from[i];
      }
    }
  }
}
