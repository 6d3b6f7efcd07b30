package org.longspan.executors.convert;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/** The factors of groups' scores against least squares over every query and latent. */
class LayerStatisticsTest {
  private static final int RANK = 8;
  private static final int QUERIES = 30;
  private static final int LATENTS = 40;

  private final LayerStatistics statistics = new LayerStatistics(RANK);

  private static INDArray rows(long seed, int count, double mean) {
    Random random = new Random(seed);
    double[][] rows = new double[count][RANK];
    for (double[] row : rows) {
      Arrays.setAll(row, column -> mean + (1 + column) * random.nextGaussian());
      double common = 6 * random.nextGaussian();
      Arrays.setAll(row, column -> row[column] + common);
    }
    return Nd4j.createFromArray(rows);
  }

  /** Scores of some columns, their mean over the latents taken away. */
  private static double[][] scores(INDArray queries, INDArray latents, int from, int to) {
    double[][] scores = new double[QUERIES][LATENTS];
    for (int q = 0; q < QUERIES; q++) {
      for (int t = 0; t < LATENTS; t++) {
        for (int column = from; column < to; column++) {
          scores[q][t] += queries.getDouble(q, column) * latents.getDouble(t, column);
        }
      }
      double mean = Arrays.stream(scores[q]).average().orElseThrow();
      for (int t = 0; t < LATENTS; t++) {
        scores[q][t] -= mean;
      }
    }
    return scores;
  }

  private static double product(double[][] a, double[][] b) {
    double sum = 0;
    for (int q = 0; q < QUERIES; q++) {
      for (int t = 0; t < LATENTS; t++) {
        sum += a[q][t] * b[q][t];
      }
    }
    return sum;
  }

  @Test
  void shouldFitTheScoresOfGroupsToThoseOfTheWhole() {
    INDArray queries = rows(1, QUERIES, 0.5);
    INDArray latents = rows(2, LATENTS, 2);
    statistics.latents().add(latents);
    statistics.normed().add(latents);
    statistics.queries().add(queries);
    List<Double> all = new ArrayList<>();
    for (LatentTransform transform :
        new LatentTransform[] {
          LatentTransform.hadamard(RANK, 3),
          LatentTransform.principalComponents(statistics.latents())
        }) {
      INDArray turnedQueries = queries.mmul(transform.basis());
      INDArray turnedLatents = latents.mmul(transform.basis());
      double[][] whole = scores(turnedQueries, turnedLatents, 0, RANK);
      double[] scales = statistics.contentScales(transform, 2);
      for (int group = 0; group < 2; group++) {
        double[][] own = scores(turnedQueries, turnedLatents, 4 * group, 4 * group + 4);
        double fitted = product(whole, own) / product(own, own);
        assertThat(scales[group]).isCloseTo(Math.max(1, Math.min(2, fitted)), within(1e-9));
        all.add(fitted);
      }
    }
    // Some that no bound made, or the bounds alone would pass.
    assertThat(all).anyMatch(fitted -> fitted > 1.01 && fitted < 1.99);
  }

  @Test
  void shouldLeaveTheScoresOfOneGroupAlone() {
    statistics.normed().add(rows(1, LATENTS, 1));
    statistics.queries().add(rows(2, QUERIES, 1));
    assertThat(statistics.contentScales(LatentTransform.hadamard(RANK, 3), 1))
        .containsExactly(new double[] {1}, within(1e-14));
  }

  @Test
  void shouldLeaveScoresThatAreZeroAlone() {
    assertThat(statistics.contentScales(LatentTransform.hadamard(RANK, 3), 2))
        .containsExactly(1, 1);
  }
}
