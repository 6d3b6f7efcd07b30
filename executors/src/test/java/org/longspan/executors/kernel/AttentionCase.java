package org.longspan.executors.kernel;

import java.util.Arrays;
import java.util.EnumMap;
import java.util.Map;
import java.util.Random;
import java.util.function.DoubleUnaryOperator;
import java.util.stream.DoubleStream;
import org.longspan.executors.layer.LinearRule;

/**
 * One problem of linear attention by any rule: its inputs, row-major, in double. Gates and betas
 * have no elements where the rule has none.
 */
public final class AttentionCase {
  /** An input. */
  public enum Input {
    Q,
    K,
    V,
    GATES,
    BETA,
    OUTPUT_GRADIENT,
    INCOMING,
    FINAL_GRADIENT
  }

  private final LinearRule rule;
  private final AttentionShape shape;
  private final double[] slopes;
  private final Documents documents;
  private final Map<Input, double[]> inputs;

  private AttentionCase(
      LinearRule rule,
      AttentionShape shape,
      double[] slopes,
      Documents documents,
      Map<Input, double[]> inputs) {
    this.rule = rule;
    this.shape = shape;
    this.slopes = slopes;
    this.documents = documents;
    this.inputs = inputs;
  }

  /**
   * Numbers between −1 and 1, the delta rule's queries and keys of norm 1; betas between 0 and 1;
   * all such that a float holds them, so that both precisions work on the same.
   *
   * @param strength logs of gates lie between {@code −strength} and 0; slopes are those of a
   *     lightning layer times it
   */
  public static AttentionCase random(
      long seed, LinearRule rule, AttentionShape shape, double strength, Documents documents) {
    Random random = new Random(seed);
    int tokens = documents.tokens();
    int keys = tokens * shape.keyColumns();
    int values = tokens * shape.valueColumns();
    int states = shape.keyColumns() * shape.valueWidth();
    int gates = tokens * rule.gateColumns(shape.keyColumns(), shape.heads());
    int betas = tokens * rule.betaColumns(shape.heads());
    Map<Input, double[]> inputs = new EnumMap<>(Input.class);
    inputs.put(Input.Q, keys(random, keys, rule, shape));
    inputs.put(Input.K, keys(random, keys, rule, shape));
    inputs.put(Input.V, uniform(random, values));
    inputs.put(Input.GATES, floats(random.doubles(gates).map(gate -> -strength * gate)));
    inputs.put(Input.BETA, floats(random.doubles(betas)));
    inputs.put(Input.OUTPUT_GRADIENT, uniform(random, values));
    inputs.put(Input.INCOMING, uniform(random, states));
    inputs.put(Input.FINAL_GRADIENT, uniform(random, states));
    return new AttentionCase(rule, shape, slopes(shape.heads(), strength), documents, inputs);
  }

  /** The slopes that a lightning layer has, times {@code strength}. */
  static double[] slopes(int heads, double strength) {
    double[] slopes = new double[heads];
    Arrays.setAll(slopes, head -> Math.pow(2, -8.0 * (head + 1) / heads) * strength);
    return slopes;
  }

  private static double[] uniform(Random random, int count) {
    return floats(random.doubles(count, -1, 1));
  }

  private static double[] floats(DoubleStream numbers) {
    return numbers.map(number -> (float) number).toArray();
  }

  private static double[] keys(Random random, int count, LinearRule rule, AttentionShape shape) {
    double[] rows = uniform(random, count);
    return rule == LinearRule.DELTA ? normalized(rows, shape.keyWidth()) : rows;
  }

  private static double[] normalized(double[] rows, int width) {
    for (int row = 0; row < rows.length; row += width) {
      double squares = 0;
      for (int i = row; i < row + width; i++) {
        squares += rows[i] * rows[i];
      }
      for (int i = row; i < row + width; i++) {
        rows[i] = (float) (rows[i] / Math.sqrt(squares));
      }
    }
    return rows;
  }

  public LinearRule rule() {
    return rule;
  }

  public AttentionShape shape() {
    return shape;
  }

  public double[] slopes() {
    return slopes;
  }

  public Documents documents() {
    return documents;
  }

  public double[] get(Input input) {
    return inputs.get(input);
  }

  /** Numbers of an input for each token; 0 for those that are states. */
  int columns(Input input) {
    return switch (input) {
      case Q, K -> shape.keyColumns();
      case V, OUTPUT_GRADIENT -> shape.valueColumns();
      case GATES -> gateColumns();
      case BETA -> rule.betaColumns(shape.heads());
      case INCOMING, FINAL_GRADIENT -> 0;
    };
  }

  /** Gates of a token. */
  int gateColumns() {
    return rule.gateColumns(shape.keyColumns(), shape.heads());
  }

  /** Where among a token's gates that of a row of the states lies. */
  int gatePlace(int row) {
    return gateColumns() == shape.heads() ? row / shape.keyWidth() : row;
  }

  /** What becomes of a row of the states just before a token, documents aside. */
  public double decay(int token, int row) {
    return rule == LinearRule.CONSTANT
        ? Math.exp(-slopes[row / shape.keyWidth()])
        : Math.exp(get(Input.GATES)[token * gateColumns() + gatePlace(row)]);
  }

  AttentionCase with(Input input, double[] other) {
    Map<Input, double[]> changed = new EnumMap<>(inputs);
    changed.put(input, other);
    return new AttentionCase(rule, shape, slopes, documents, changed);
  }

  /** Every number of an input changed. */
  AttentionCase mapped(Input input, DoubleUnaryOperator change) {
    return with(input, Arrays.stream(get(input)).map(change).toArray());
  }

  AttentionCase withSlopes(double[] others) {
    return new AttentionCase(rule, shape, others, documents, inputs);
  }

  AttentionCase withDocuments(Documents others) {
    return new AttentionCase(rule, shape, slopes, others, inputs);
  }

  /** The same with its one gate a head written out for each key column. */
  AttentionCase widened() {
    int columns = shape.keyColumns();
    double[] wide = new double[documents.tokens() * columns];
    Arrays.setAll(
        wide, i -> get(Input.GATES)[i / columns * gateColumns() + i % columns / shape.keyWidth()]);
    Map<Input, double[]> changed = new EnumMap<>(inputs);
    changed.put(Input.GATES, wide);
    return new AttentionCase(LinearRule.VECTOR_GATE, shape, slopes, documents, changed);
  }

  /** The tokens {@code [from, to)} alone. */
  AttentionCase piece(int from, int to) {
    Map<Input, double[]> own = new EnumMap<>(Input.class);
    inputs.forEach(
        (input, numbers) -> {
          int columns = columns(input);
          own.put(
              input,
              columns == 0 && numbers.length > 0
                  ? numbers
                  : Arrays.copyOfRange(numbers, from * columns, to * columns));
        });
    return new AttentionCase(rule, shape, slopes, documents.piece(from, to), own);
  }
}
