package org.longspan.executors.bench;

import java.util.Arrays;

/** Medians of measurements. */
public final class Medians {
  private Medians() {}

  /** The median, the upper one of two; the values keep their order. */
  public static double of(double[] values) {
    if (values.length == 0) {
      throw new IllegalArgumentException("There is no median of nothing");
    }
    double[] sorted = values.clone();
    Arrays.sort(sorted);
    return sorted[sorted.length / 2];
  }
}
