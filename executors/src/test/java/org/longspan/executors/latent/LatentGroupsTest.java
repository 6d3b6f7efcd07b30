package org.longspan.executors.latent;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Arrays;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.longspan.executors.latent.LatentRanks.Rank;
import org.longspan.executors.memory.Precision;

/** Where a latent in groups is MLA to the last digits, and that it is not elsewhere. */
class LatentGroupsTest {
  private static final double EXACT = 1e-12;
  private static final double DIFFERENT = 1e-2;
  private static final int TOKENS = 40;

  private static LatentCase tpla(int groups, LatentNorm norm, int... documents) {
    return new LatentCase(
        new LatentShape(12, 2, 10, 16, 6, 4, 5, LatentForm.TPLA, norm, groups, 10_000, 1e-6),
        TOKENS,
        documents);
  }

  private static LatentCase mlra(int groups) {
    return new LatentCase(
        new LatentShape(
            12, 2, 10, 16, 6, 4, 5, LatentForm.MLRA, LatentNorm.LOCAL, groups, 10_000, 1e-6),
        TOKENS,
        0);
  }

  private static void setContentScales(LatentCase given, double scale) {
    Arrays.fill(given.weights().get("mu")[0], scale);
  }

  /** How far outputs are from MLA's with the same weights. */
  private static double differenceFromMla(LatentCase given) {
    int groups = given.shape().groups();
    return LatentCase.relativeError(outputs(given, groups), outputs(given.asMla(), 1));
  }

  private static double[][] outputs(LatentCase given, int tensor) {
    return LatentRanks.together(
        new LatentRanks(given, Precision.DOUBLE, 2, tensor).run(), 0, Rank::u);
  }

  @Test
  void shouldBeMlaWithOneGroup() {
    LatentCase given = tpla(1, LatentNorm.EXACT, 0, 13);
    setContentScales(given, 1);
    assertThat(differenceFromMla(given)).isLessThan(EXACT);
  }

  @ParameterizedTest
  @ValueSource(ints = {2, 4})
  void shouldBeMlaWhereEachTokenSeesOneKey(int groups) {
    LatentCase given = tpla(groups, LatentNorm.EXACT, IntStream.range(0, TOKENS).toArray());
    assertThat(differenceFromMla(given)).isLessThan(EXACT);
  }

  @ParameterizedTest
  @ValueSource(ints = {2, 4})
  void shouldBeMlaWhereQueriesHaveNoContent(int groups) {
    LatentCase given = tpla(groups, LatentNorm.EXACT, 0);
    for (double[] row : given.weights().get("wuq")) {
      Arrays.fill(row, 0);
    }
    assertThat(differenceFromMla(given)).isLessThan(EXACT);
  }

  @ParameterizedTest
  @ValueSource(ints = {2, 4})
  void shouldBeMlaWhereGroupsAreCopies(int groups) {
    LatentCase given = tpla(groups, LatentNorm.EXACT, 0);
    int width = given.shape().groupColumns();
    for (String name : new String[] {"wdkv", "gamma"}) {
      for (double[] row : given.weights().get(name)) {
        for (int column = width; column < row.length; column++) {
          row[column] = row[column % width];
        }
      }
    }
    for (String name : new String[] {"wuk", "wuv"}) {
      double[][] weights = given.weights().get(name);
      for (int row = width; row < weights.length; row++) {
        weights[row] = weights[row % width].clone();
      }
    }
    setContentScales(given, groups);
    assertThat(differenceFromMla(given)).isLessThan(EXACT);
  }

  @ParameterizedTest
  @ValueSource(ints = {2, 4})
  void shouldDifferFromMlaOtherwise(int groups) {
    for (LatentNorm norm : LatentNorm.values()) {
      LatentCase given = tpla(groups, norm, 0);
      for (double scale : new double[] {1, groups}) {
        setContentScales(given, scale);
        assertThat(differenceFromMla(given)).as("%s", norm).isGreaterThan(DIFFERENT);
      }
    }
    assertThat(differenceFromMla(mlra(groups))).isGreaterThan(DIFFERENT);
  }
}
