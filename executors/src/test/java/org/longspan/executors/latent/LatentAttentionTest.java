package org.longspan.executors.latent;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.Map;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.longspan.executors.latent.LatentRanks.Rank;
import org.longspan.executors.memory.Precision;

/** Latent attention on any ranks against the formulas in plain arrays. */
class LatentAttentionTest {
  private static final double EXACT = 1e-12;
  private static final double ROUNDED = 1e-5;

  /** The forms that differ in their formulas. */
  enum Variant {
    MLA,
    MLA_WITHOUT_QUERY_LATENT,
    TPLA_EXACT,
    TPLA_LOCAL,
    MLRA;

    LatentShape shape(int heads, int groups) {
      LatentForm form =
          switch (this) {
            case MLA, MLA_WITHOUT_QUERY_LATENT -> LatentForm.MLA;
            case TPLA_EXACT, TPLA_LOCAL -> LatentForm.TPLA;
            case MLRA -> LatentForm.MLRA;
          };
      return new LatentShape(
          12,
          heads,
          this == MLA_WITHOUT_QUERY_LATENT ? 0 : 10,
          16,
          6,
          4,
          5,
          form,
          this == TPLA_EXACT ? LatentNorm.EXACT : LatentNorm.LOCAL,
          form == LatentForm.MLA ? 1 : groups,
          10_000,
          1e-6);
    }
  }

  static void assertEqualsReference(LatentCase given, List<Rank> ranks, double limit) {
    LatentReference reference = new LatentReference(given);
    double[][] u = reference.output();
    Map<String, double[][]> gradients = reference.gradients();
    for (Rank rank : ranks) {
      if (rank.sequence() == 0) {
        assertThat(LatentCase.relativeError(LatentRanks.together(ranks, rank.tensor(), Rank::u), u))
            .as("u on tensor rank %d", rank.tensor())
            .isLessThan(limit);
        assertThat(
                LatentCase.relativeError(
                    LatentRanks.together(ranks, rank.tensor(), Rank::dx), gradients.get("x")))
            .as("dx on tensor rank %d", rank.tensor())
            .isLessThan(limit);
      }
    }
    for (String name : given.weights().keySet()) {
      for (double[][] found : LatentRanks.gradients(ranks, name)) {
        assertThat(LatentCase.relativeError(found, gradients.get(name)))
            .as("gradient of %s", name)
            .isLessThan(limit);
      }
    }
  }

  @ParameterizedTest
  @EnumSource
  void shouldHaveTheGradientsOfFiniteDifferences(Variant variant) {
    LatentCase given = new LatentCase(variant.shape(2, 2), 14, 0, 5);
    List<Rank> ranks = new LatentRanks(given, Precision.DOUBLE, 1, 1).run();
    LatentReference reference = new LatentReference(given);
    given
        .weights()
        .forEach(
            (name, values) ->
                assertThat(
                        LatentCase.relativeError(
                            LatentRanks.gradients(ranks, name).get(0),
                            differences(reference, values)))
                    .as("gradient of %s", name)
                    .isLessThan(1e-7));
    assertThat(LatentCase.relativeError(ranks.get(0).dx(), differences(reference, given.x())))
        .as("gradient of x")
        .isLessThan(1e-7);
  }

  private static double[][] differences(LatentReference reference, double[][] values) {
    double step = 1e-4;
    double[][] gradient = new double[values.length][values[0].length];
    for (double[] row : values) {
      for (int column = 0; column < row.length; column++) {
        double before = row[column];
        double[] losses = new double[5];
        for (int i = 0; i < losses.length; i++) {
          row[column] = before + (i - 2) * step;
          losses[i] = reference.loss();
        }
        row[column] = before;
        gradient[java.util.Arrays.asList(values).indexOf(row)][column] =
            (8 * (losses[3] - losses[1]) - losses[4] + losses[0]) / (12 * step);
      }
    }
    return gradient;
  }

  @ParameterizedTest
  @EnumSource
  void shouldEqualTheFormulasOnEveryMesh(Variant variant) {
    LatentCase given = new LatentCase(variant.shape(8, 8), 75, 0, 20, 21, 64);
    LatentCase whole = new LatentCase(variant.shape(8, 8), 75, 0);
    for (int tensor : new int[] {1, 2, 4, 8}) {
      for (int sequence : new int[] {1, 2, 4}) {
        assertEqualsReference(
            given, new LatentRanks(given, Precision.DOUBLE, sequence, tensor).run(), EXACT);
        assertEqualsReference(
            whole, new LatentRanks(whole, Precision.DOUBLE, sequence, tensor).run(), EXACT);
      }
    }
  }

  @ParameterizedTest
  @EnumSource
  void shouldEqualTheFormulasInFloatButForRounding(Variant variant) {
    LatentCase given = new LatentCase(variant.shape(8, 8), 150, 0, 67);
    for (int tensor : new int[] {1, 2, 4, 8}) {
      for (int sequence : new int[] {1, 2, 4}) {
        assertEqualsReference(
            given, new LatentRanks(given, Precision.FLOAT, sequence, tensor).run(), ROUNDED);
      }
    }
  }

  @ParameterizedTest
  @CsvSource({"2, 4", "16, 3", "33, 7", "40, 5"})
  void shouldWorkWhereRanksHaveNoToken(int tokens, int sequence) {
    for (Variant variant : Variant.values()) {
      LatentCase given = new LatentCase(variant.shape(2, 2), tokens, 0);
      assertEqualsReference(
          given, new LatentRanks(given, Precision.DOUBLE, sequence, 2).run(), EXACT);
    }
  }

  @ParameterizedTest
  @EnumSource
  void shouldNotDependOnWhichWorkerTakesWhichHead(Variant variant) {
    LatentCase given = new LatentCase(variant.shape(4, 2), 90, 0, 30);
    List<Rank> one = new LatentRanks(given, Precision.FLOAT, 2, 1).run();
    List<Rank> three = new LatentRanks(given, Precision.FLOAT, 2, 1).threads(3).run();
    for (int rank = 0; rank < 2; rank++) {
      assertThat(three.get(rank).dx()).isDeepEqualTo(one.get(rank).dx());
      assertThat(three.get(rank).gradients().get("wuk"))
          .isDeepEqualTo(one.get(rank).gradients().get("wuk"));
    }
  }
}
