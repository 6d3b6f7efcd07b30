package org.longspan.executors.kernel;

import java.util.Arrays;
import java.util.EnumMap;
import java.util.Map;
import java.util.Random;

/** One problem of the gated delta rule: its inputs, row-major, in double. */
final class DeltaCase {
  /** An input. */
  enum Input {
    Q,
    K,
    V,
    GATES,
    BETA,
    OUTPUT_GRADIENT,
    INCOMING,
    FINAL_GRADIENT
  }

  private final AttentionShape shape;
  private final Documents documents;
  private final Map<Input, double[]> inputs;

  private DeltaCase(AttentionShape shape, Documents documents, Map<Input, double[]> inputs) {
    this.shape = shape;
    this.documents = documents;
    this.inputs = inputs;
  }

  /**
   * Queries and keys of norm 1, betas between 0 and 1, gates between −1 and 0 divided by {@code
   * weakness}, the others between −1 and 1.
   */
  static DeltaCase random(long seed, AttentionShape shape, double weakness, Documents documents) {
    Random random = new Random(seed);
    int keys = documents.tokens() * shape.keyColumns();
    int values = documents.tokens() * shape.valueColumns();
    int heads = documents.tokens() * shape.heads();
    int states = shape.keyColumns() * shape.valueWidth();
    Map<Input, double[]> inputs = new EnumMap<>(Input.class);
    inputs.put(Input.Q, normalized(uniform(random, keys), shape.keyWidth()));
    inputs.put(Input.K, normalized(uniform(random, keys), shape.keyWidth()));
    inputs.put(Input.V, uniform(random, values));
    inputs.put(Input.GATES, random.doubles(heads, -1 / weakness, 0).toArray());
    inputs.put(Input.BETA, random.doubles(heads).toArray());
    inputs.put(Input.OUTPUT_GRADIENT, uniform(random, values));
    inputs.put(Input.INCOMING, uniform(random, states));
    inputs.put(Input.FINAL_GRADIENT, uniform(random, states));
    return new DeltaCase(shape, documents, inputs);
  }

  static double[] uniform(Random random, int count) {
    return random.doubles(count, -1, 1).toArray();
  }

  private static double[] normalized(double[] rows, int width) {
    for (int row = 0; row < rows.length; row += width) {
      double squares = 0;
      for (int i = row; i < row + width; i++) {
        squares += rows[i] * rows[i];
      }
      for (int i = row; i < row + width; i++) {
        rows[i] /= Math.sqrt(squares);
      }
    }
    return rows;
  }

  AttentionShape shape() {
    return shape;
  }

  Documents documents() {
    return documents;
  }

  double[] get(Input input) {
    return inputs.get(input);
  }

  DeltaCase with(Input input, double[] other) {
    Map<Input, double[]> changed = new EnumMap<>(inputs);
    changed.put(input, other);
    return new DeltaCase(shape, documents, changed);
  }

  /** Every number of an input times {@code factor}. */
  DeltaCase scaled(Input input, double factor) {
    return with(input, Arrays.stream(get(input)).map(number -> factor * number).toArray());
  }

  /** Every number of an input replaced. */
  DeltaCase filled(Input input, double number) {
    double[] numbers = new double[get(input).length];
    Arrays.fill(numbers, number);
    return with(input, numbers);
  }

  DeltaCase withDocuments(Documents others) {
    return new DeltaCase(shape, others, inputs);
  }
}
