package org.longspan.executors.latent;

import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Random;
import org.longspan.executors.memory.Matrix;

/** Random input and weights of one latent attention, all of them whole, in plain arrays. */
final class LatentCase {
  private final LatentShape shape;
  private final int[] documents;
  private final double[] estimates;
  private final double[][] x;
  private final double[][] outputGradient;
  private final Map<String, double[][]> weights = new LinkedHashMap<>();

  /**
   * @param documents where they start, the first one at 0
   */
  LatentCase(LatentShape shape, int tokens, int... documents) {
    Random random = new Random(tokens + 31L * shape.groups());
    this.shape = shape;
    this.documents = documents;
    this.x = numbers(random, tokens, shape.width(), 1, 0);
    this.outputGradient = numbers(random, tokens, shape.width(), 1, 0);
    this.estimates = new double[shape.groups()];
    Arrays.setAll(estimates, group -> 1.5 + 0.25 * group);
    int input = shape.queryInput();
    int heads = shape.heads();
    if (shape.queryRank() > 0) {
      put(random, "wdq", shape.width(), shape.queryRank());
      weights.put("gamma_q", numbers(random, 1, shape.queryRank(), 0.3, 1));
    }
    put(random, "wuq", input, heads * shape.nope());
    put(random, "wqr", input, heads * shape.rope());
    put(random, "wdkv", shape.width(), shape.rank());
    weights.put("gamma", numbers(random, 1, shape.rank(), 0.3, 1));
    put(random, "wkr", shape.width(), shape.rope());
    put(random, "wuk", shape.rank(), heads * shape.nope());
    put(random, "wuv", shape.rank(), heads * shape.value());
    put(random, "wo", heads * shape.value(), shape.width());
    if (shape.form() == LatentForm.TPLA) {
      weights.put("mu", numbers(random, 1, shape.groups(), 0.3, 1.5));
    }
  }

  /** The same input and weights for another shape of the same sizes; without scales of groups. */
  private LatentCase(LatentCase other, LatentShape shape) {
    this.shape = shape;
    this.documents = other.documents;
    this.estimates = other.estimates;
    this.x = other.x;
    this.outputGradient = other.outputGradient;
    this.weights.putAll(other.weights);
    this.weights.remove("mu");
  }

  /** The same input and weights, attended to as MLA does. */
  LatentCase asMla() {
    return new LatentCase(this, shape.asMla());
  }

  private void put(Random random, String name, int rows, int columns) {
    weights.put(name, numbers(random, rows, columns, 1.5 / Math.sqrt(rows), 0));
  }

  private static double[][] numbers(
      Random random, int rows, int columns, double deviation, double mean) {
    double[][] numbers = new double[rows][columns];
    for (double[] row : numbers) {
      Arrays.setAll(row, column -> mean + deviation * random.nextGaussian());
    }
    return numbers;
  }

  LatentShape shape() {
    return shape;
  }

  int tokens() {
    return x.length;
  }

  int[] documents() {
    return documents;
  }

  double[] estimates() {
    return estimates;
  }

  double[][] x() {
    return x;
  }

  double[][] outputGradient() {
    return outputGradient;
  }

  /** Whole weights by their names in formulas. */
  Map<String, double[][]> weights() {
    return weights;
  }

  static void copy(double[][] from, Matrix into) {
    for (int row = 0; row < from.length; row++) {
      for (int column = 0; column < from[row].length; column++) {
        into.put(row, column, from[row][column]);
      }
    }
  }

  static double[][] copy(Matrix from) {
    double[][] copy = new double[Math.toIntExact(from.rows())][from.columns()];
    for (int row = 0; row < copy.length; row++) {
      for (int column = 0; column < copy[row].length; column++) {
        copy[row][column] = from.get(row, column);
      }
    }
    return copy;
  }

  /** {@code ‖a − b‖ / ‖b‖}. */
  static double relativeError(double[][] a, double[][] b) {
    double difference = 0;
    double norm = 0;
    for (int row = 0; row < b.length; row++) {
      for (int column = 0; column < b[row].length; column++) {
        difference += Math.pow(a[row][column] - b[row][column], 2);
        norm += Math.pow(b[row][column], 2);
      }
    }
    return Math.sqrt(difference / Math.max(norm, 1e-300));
  }
}
