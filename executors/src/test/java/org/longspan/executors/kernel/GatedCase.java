package org.longspan.executors.kernel;

import java.util.Arrays;
import java.util.Random;
import org.longspan.executors.kernel.LinearCase.Input;

/** One problem of linear attention with gates: a {@link LinearCase} and the logs of the gates. */
final class GatedCase {
  private final LinearCase linear;
  private final GateWidth gateWidth;
  private final double[] gates;

  private GatedCase(LinearCase linear, GateWidth gateWidth, double[] gates) {
    this.linear = linear;
    this.gateWidth = gateWidth;
    this.gates = gates;
  }

  /** Numbers between −1 and 1, and logs of gates between −strength and 0. */
  static GatedCase random(
      long seed, AttentionShape shape, GateWidth gateWidth, double strength, Documents documents) {
    LinearCase linear = LinearCase.random(seed, shape, new double[shape.heads()], documents);
    int count = documents.tokens() * gateWidth.columns(shape);
    double[] gates =
        new Random(seed + 1).doubles(count).map(number -> -strength * number).toArray();
    return new GatedCase(linear, gateWidth, gates);
  }

  AttentionShape shape() {
    return linear.shape();
  }

  Documents documents() {
    return linear.documents();
  }

  GateWidth gateWidth() {
    return gateWidth;
  }

  double[] get(Input input) {
    return linear.get(input);
  }

  double[] gates() {
    return gates;
  }

  /** The log of the gate of a token's key column, counted over all heads. */
  double gate(int token, int column) {
    int place = gateWidth == GateWidth.VECTOR ? column : column / shape().keyWidth();
    return gates[token * gateWidth.columns(shape()) + place];
  }

  GatedCase with(Input input, double[] other) {
    return new GatedCase(linear.with(input, other), gateWidth, gates);
  }

  GatedCase withGates(double[] others) {
    return new GatedCase(linear, gateWidth, others);
  }

  GatedCase withDocuments(Documents others) {
    return new GatedCase(linear.withDocuments(others), gateWidth, gates);
  }

  /** The same with its one gate a head written out for each key column. */
  GatedCase widened() {
    int columns = shape().keyColumns();
    double[] wide = new double[documents().tokens() * columns];
    Arrays.setAll(wide, i -> gate(i / columns, i % columns));
    return new GatedCase(linear, GateWidth.VECTOR, wide);
  }
}
