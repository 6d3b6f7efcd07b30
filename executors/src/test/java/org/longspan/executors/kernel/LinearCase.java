package org.longspan.executors.kernel;

import java.util.Arrays;
import java.util.EnumMap;
import java.util.Map;
import java.util.Random;

/** One problem of linear attention: its inputs, row-major, in double. */
final class LinearCase {
  /** An input. */
  enum Input {
    Q,
    K,
    V,
    OUTPUT_GRADIENT,
    INCOMING,
    FINAL_GRADIENT
  }

  private final AttentionShape shape;
  private final double[] slopes;
  private final Documents documents;
  private final Map<Input, double[]> inputs;

  private LinearCase(
      AttentionShape shape, double[] slopes, Documents documents, Map<Input, double[]> inputs) {
    this.shape = shape;
    this.slopes = slopes;
    this.documents = documents;
    this.inputs = inputs;
  }

  /** Numbers between −1 and 1 everywhere. */
  static LinearCase random(long seed, AttentionShape shape, double[] slopes, Documents documents) {
    Random random = new Random(seed);
    int keys = documents.tokens() * shape.keyColumns();
    int values = documents.tokens() * shape.valueColumns();
    int states = shape.keyColumns() * shape.valueWidth();
    Map<Input, double[]> inputs = new EnumMap<>(Input.class);
    inputs.put(Input.Q, uniform(random, keys));
    inputs.put(Input.K, uniform(random, keys));
    inputs.put(Input.V, uniform(random, values));
    inputs.put(Input.OUTPUT_GRADIENT, uniform(random, values));
    inputs.put(Input.INCOMING, uniform(random, states));
    inputs.put(Input.FINAL_GRADIENT, uniform(random, states));
    return new LinearCase(shape, slopes, documents, inputs);
  }

  /** The slopes that a lightning layer has, divided by {@code weakness}. */
  static double[] slopes(int heads, double weakness) {
    double[] slopes = new double[heads];
    Arrays.setAll(slopes, head -> Math.pow(2, -8.0 * (head + 1) / heads) / weakness);
    return slopes;
  }

  static double[] uniform(Random random, int count) {
    return random.doubles(count, -1, 1).toArray();
  }

  AttentionShape shape() {
    return shape;
  }

  double[] slopes() {
    return slopes;
  }

  Documents documents() {
    return documents;
  }

  double[] get(Input input) {
    return inputs.get(input);
  }

  LinearCase with(Input input, double[] other) {
    Map<Input, double[]> changed = new EnumMap<>(inputs);
    changed.put(input, other);
    return new LinearCase(shape, slopes, documents, changed);
  }

  LinearCase withSlopes(double[] others) {
    return new LinearCase(shape, others, documents, inputs);
  }

  LinearCase withDocuments(Documents others) {
    return new LinearCase(shape, slopes, others, inputs);
  }
}
