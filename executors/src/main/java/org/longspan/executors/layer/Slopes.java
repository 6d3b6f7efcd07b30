package org.longspan.executors.layer;

/**
 * How fast each head of a lightning mixer forgets: {@code λ = exp(−slope)}. Geometric in the head,
 * {@code 2^(−8h/H)}, as in ALiBi (arXiv 2108.12409), fading to almost none in the last layer
 * (Lightning Attention-2, arXiv 2401.04658).
 */
public final class Slopes {
  private static final double LEAST = 1e-5;

  private Slopes() {}

  /** The slopes of the heads of block {@code layer} of {@code layers}. */
  public static double[] of(int heads, int layer, int layers) {
    double factor = layers == 1 ? 1 : 1 - (double) layer / (layers - 1) + LEAST;
    double[] slopes = geometric(heads);
    for (int head = 0; head < heads; head++) {
      slopes[head] *= factor;
    }
    return slopes;
  }

  private static double[] geometric(int heads) {
    int power = Integer.highestOneBit(heads);
    double[] slopes = new double[heads];
    for (int head = 0; head < power; head++) {
      slopes[head] = Math.pow(2, -8.0 * (head + 1) / power);
    }
    // As ALiBi does where the heads are no power of two: every other slope of twice as many.
    for (int head = power; head < heads; head++) {
      slopes[head] = Math.pow(2, -8.0 * (2 * (head - power) + 1) / (2 * power));
    }
    return slopes;
  }
}
