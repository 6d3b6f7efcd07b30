package org.longspan.executors.kernel;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Arrays;

/**
 * The comparison of what several ranks computed with what was expected, by relative norms, which a
 * doubled number cannot pass: of the whole, and of what each rank holds, relative to its own norm
 * or to its share of the whole where that is more.
 */
public final class RankwiseError {
  private RankwiseError() {}

  /**
   * Errors are within {@code bound}.
   *
   * @param floor what errors are relative to where the expected norm is less
   * @param tokens to which the numbers belong, equally many to each
   * @param cuts ascending offsets at which a next rank's tokens start
   */
  public static void assertWithin(
      double bound,
      String name,
      double[] actual,
      double[] expected,
      double floor,
      int tokens,
      int... cuts) {
    assertThat(actual).as(name).hasSameSizeAs(expected);
    double whole = scale(norm(expected), floor);
    assertThat(error(actual, expected, 0, expected.length) / whole)
        .as(name)
        .isLessThanOrEqualTo(bound);
    int columns = tokens == 0 ? 0 : expected.length / tokens;
    for (int rank = 0; rank <= cuts.length; rank++) {
      int from = columns * (rank == 0 ? 0 : cuts[rank - 1]);
      int to = columns * (rank == cuts.length ? tokens : cuts[rank]);
      if (from == to) {
        continue;
      }
      double share = Math.sqrt((to - from) / (double) expected.length);
      double own = norm(Arrays.copyOfRange(expected, from, to));
      assertThat(error(actual, expected, from, to) / Math.max(own, share * whole))
          .as("%s on rank %s", name, rank)
          .isLessThanOrEqualTo(bound);
    }
  }

  private static double scale(double norm, double floor) {
    double scale = Math.max(norm, floor);
    return scale == 0 ? 1 : scale;
  }

  /** {@code ‖x − y‖ / ‖y‖}; NaN where x holds one, which no bound admits. */
  public static double distance(double[] x, double[] y) {
    assertThat(x).hasSameSizeAs(y);
    return error(x, y, 0, y.length) / scale(norm(y), 0);
  }

  static double norm(double[] x) {
    return Math.sqrt(Arrays.stream(x).map(value -> value * value).sum());
  }

  private static double error(double[] x, double[] y, int from, int to) {
    double squares = 0;
    for (int i = from; i < to; i++) {
      squares += (x[i] - y[i]) * (x[i] - y[i]);
    }
    return Math.sqrt(squares);
  }
}
