package org.longspan.executors.convert;

import org.longspan.executors.latent.LatentShape;
import org.longspan.executors.latent.LatentWeights;
import org.longspan.executors.memory.Matrix;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.indexing.NDArrayIndex;
import org.nd4j.linalg.ops.transforms.Transforms;

/**
 * What goes through one MLA layer on the calibration data: its latents, and the queries that meet
 * them.
 *
 * <p>Threading: any thread adds; read it when all have.
 *
 * @param latents before their norm
 * @param normed after it, without gains
 * @param queries of all heads, weights and gains of keys absorbed
 */
public record LayerStatistics(SecondMoment latents, SecondMoment normed, SecondMoment queries) {
  /** Nothing yet, of latents of {@code rank} columns. */
  LayerStatistics(int rank) {
    this(new SecondMoment(rank), new SecondMoment(rank), new SecondMoment(rank));
  }

  /** Adds what {@code x} {@code [tokens, width]} becomes in an attention of {@code weights}. */
  void add(LatentShape shape, Matrix x, LatentWeights weights) {
    INDArray input = DoubleArrays.of(x);
    INDArray latent = input.mmul(DoubleArrays.of(weights.latentDown()));
    latents.add(latent);
    normed.add(normed(latent, shape.epsilon()));
    INDArray query = queryInput(shape, input, weights).mmul(DoubleArrays.of(weights.queryUp()));
    INDArray keyUp =
        DoubleArrays.of(weights.keyUp())
            .muliColumnVector(DoubleArrays.of(weights.latentGain()).transpose());
    for (int head = 0; head < shape.heads(); head++) {
      queries.add(ofHead(query, head, shape).mmul(ofHead(keyUp, head, shape).transpose()));
    }
  }

  private static INDArray queryInput(LatentShape shape, INDArray input, LatentWeights weights) {
    if (shape.queryRank() == 0) {
      return input;
    }
    return normed(input.mmul(DoubleArrays.of(weights.queryDown())), shape.epsilon())
        .muliRowVector(DoubleArrays.of(weights.queryGain()));
  }

  /** Each row over its root mean square. */
  private static INDArray normed(INDArray rows, double epsilon) {
    return rows.divColumnVector(Transforms.sqrt(rows.mul(rows).mean(true, 1).addi(epsilon), false));
  }

  private static INDArray ofHead(INDArray columns, int head, LatentShape shape) {
    return columns.get(
        NDArrayIndex.all(),
        NDArrayIndex.interval((long) head * shape.nope(), (head + 1L) * shape.nope()));
  }

  /**
   * For each group s of the latent's columns the factor μ by which its scores come nearest to those
   * of the whole latent: the least squares of {@code a·c − μ a_s·c_s} over every query a, its
   * weights of keys absorbed, and every normed latent c about their mean, which the softmax does
   * not see. With the queries' second moment A and the latents' second moment C about their mean,
   *
   * <pre>
   *   μ_s = Σ_{j, k∈s} A_jk C_jk / Σ_{j∈s, k∈s} A_jk C_jk
   * </pre>
   *
   * kept between 1, which unrelated groups give, and the number of groups, which groups that are
   * all alike give: the scores of a group that hardly has any say nothing of its factor.
   */
  double[] contentScales(LatentTransform transform, int groups) {
    INDArray products =
        transform.turn(queries.aboutZero()).muli(transform.turn(normed.aboutMean()));
    int columns = products.columns();
    double[] whole = new double[groups];
    double[] own = new double[groups];
    for (int row = 0; row < columns; row++) {
      for (int column = 0; column < columns; column++) {
        int group = column * groups / columns;
        whole[group] += products.getDouble(row, column);
        own[group] += row * groups / columns == group ? products.getDouble(row, column) : 0;
      }
    }
    double[] scales = new double[groups];
    for (int group = 0; group < groups; group++) {
      double fitted = own[group] > 0 ? whole[group] / own[group] : 1;
      scales[group] = Math.max(1, Math.min(groups, fitted));
    }
    return scales;
  }
}
