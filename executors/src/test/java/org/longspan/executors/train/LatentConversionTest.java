package org.longspan.executors.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.function.Function;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.longspan.executors.convert.LatentCalibration;
import org.longspan.executors.convert.LatentConversion;
import org.longspan.executors.convert.LayerStatistics;
import org.longspan.executors.convert.TransformKind;
import org.longspan.executors.memory.Arena;
import org.longspan.executors.memory.Matrix;
import org.longspan.executors.memory.Precision;

/** An MLA model before and after its conversion, in double. */
class LatentConversionTest {
  private static final int VOCABULARY = 19;

  private static <R> R inModel(String latent, Function<RankSetup, R> work) {
    return new OneRank(VOCABULARY, SmallTraining.TOKENS, SmallTraining.BLOCK)
        .in(
            "model: {width: 16, heads: 4, layers: 4, feed-forward: 23, pattern: [lightning, latent],"
                + " latent: {rank: 16, rope: 2, "
                + latent
                + "}}",
            work);
  }

  private static double loss(RankSetup setup) {
    return setup.model().loss(SmallTraining.slice(0, 0, 1));
  }

  /** Weights as large as trained ones, and gains that are not one. */
  private static void disturb(RankSetup setup) {
    Random random = new Random(7);
    setup
        .model()
        .parameters()
        .forEach(
            (name, values) -> {
              for (int row = 0; row < values.rows(); row++) {
                for (int column = 0; column < values.columns(); column++) {
                  values.put(
                      row, column, values.get(row, column) + 0.3 * (random.nextDouble() - 0.5));
                }
              }
            });
  }

  /** The loss of the MLA model, its loss after conversion to {@code latent}. */
  private static double[] losses(TransformKind kind, String latent) {
    try (Arena arena = new Arena("of the test", Precision.DOUBLE)) {
      LatentCalibration calibration = new LatentCalibration();
      Map<String, Matrix> parameters = new LinkedHashMap<>();
      double before =
          inModel(
              "form: mla",
              setup -> {
                disturb(setup);
                parameters.putAll(OneRank.copyOfParameters(setup, arena));
                setup.environment().watchLatents(calibration);
                return loss(setup);
              });
      List<LayerStatistics> statistics = calibration.statistics();
      assertThat(statistics).hasSize(2);
      double after =
          inModel(
              latent,
              setup -> {
                new LatentConversion(kind, 5).apply(parameters, statistics, setup.model());
                assertEstimatesStandForAllSquares(setup.model().parameters());
                assertTurned(parameters, setup.model().parameters());
                return loss(setup);
              });
      return new double[] {before, after};
    }
  }

  /** The shares whose inverses the estimates are make one together. */
  private static void assertEstimatesStandForAllSquares(Map<String, Matrix> parameters) {
    parameters.forEach(
        (name, estimates) -> {
          if (name.endsWith(".norm-estimates")) {
            double shares = 0;
            for (int group = 0; group < estimates.columns(); group++) {
              shares += 1 / estimates.get(0, group);
            }
            assertThat(shares).as(name).isCloseTo(1, within(1e-12));
          }
        });
  }

  /** An orthogonal U, and not that of nothing: {@code down·U} has the products of down's rows. */
  private static void assertTurned(Map<String, Matrix> before, Map<String, Matrix> after) {
    List<String> names =
        before.keySet().stream().filter(name -> name.endsWith(".latent-down")).toList();
    assertThat(names).hasSize(2);
    for (String name : names) {
      Matrix old = before.get(name);
      Matrix turned = after.get(name);
      double moved = 0;
      double norm = 0;
      for (int row = 0; row < old.rows(); row++) {
        for (int column = 0; column < old.columns(); column++) {
          moved += Math.pow(turned.get(row, column) - old.get(row, column), 2);
          norm += Math.pow(old.get(row, column), 2);
        }
        for (int other = 0; other <= row; other++) {
          assertThat(product(turned, row, other))
              .as("%s, rows %s and %s", name, row, other)
              .isCloseTo(product(old, row, other), within(1e-12));
        }
      }
      assertThat(Math.sqrt(moved / norm)).as(name).isGreaterThan(0.1);
    }
  }

  private static double product(Matrix matrix, int row, int other) {
    double sum = 0;
    for (int column = 0; column < matrix.columns(); column++) {
      sum += matrix.get(row, column) * matrix.get(other, column);
    }
    return sum;
  }

  private static double change(double[] losses) {
    return Math.abs(losses[1] - losses[0]) / losses[0];
  }

  @ParameterizedTest
  @EnumSource
  void shouldChangeNothingWithOneGroup(TransformKind kind) {
    assertThat(change(losses(kind, "form: tpla, groups: 1"))).isLessThan(1e-12);
    // One group has all of the squares, so that its estimate is its norm.
    assertThat(change(losses(kind, "form: tpla, groups: 1, norm: local"))).isLessThan(1e-12);
  }

  @ParameterizedTest
  @EnumSource
  void shouldApproximateWithMore(TransformKind kind) {
    assertThat(change(losses(kind, "form: tpla, groups: 2"))).isBetween(1e-6, 0.5);
    assertThat(change(losses(kind, "form: tpla, groups: 2, norm: local"))).isBetween(1e-6, 0.5);
  }
}
