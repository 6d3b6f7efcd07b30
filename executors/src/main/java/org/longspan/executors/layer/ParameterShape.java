package org.longspan.executors.layer;

/**
 * One parameter of a layer, as a rank holds it: {@code [rows, columns]}, row-major; a product takes
 * rows in and gives columns.
 *
 * @param rowSide which rows of the whole parameter are here
 * @param columnSide which columns
 * @param gradient what the rank finds of the gradient
 */
public record ParameterShape(
    String name, Side rowSide, Side columnSide, Kind kind, GradientPart gradient) {

  /** What it does, which decides how it starts and whether it decays. */
  public enum Kind {
    /** Of a product or an embedding: drawn from a normal distribution, decays. */
    WEIGHT,
    /** Of a depthwise convolution: drawn uniformly from ±1/√rows, does not decay. */
    TAPS,
    /** Of a norm: starts at one, does not decay. */
    GAIN,
    /**
     * Of gates: starts such that the memory of the columns goes from 16 to 4,096 tokens,
     * geometrically; does not decay.
     */
    MEMORY,
    /**
     * A constant for each column, the number of columns at first: has no gradient, does not decay.
     */
    SHARE_ESTIMATE
  }

  /** What a tensor rank finds of the gradient of the numbers that it holds. */
  public enum GradientPart {
    /** All of it; where every tensor rank holds the parameter, each finds the same. */
    WHOLE,
    /** A part: the tensor ranks, each of which holds the whole parameter, have the rest. */
    PARTIAL
  }

  public ParameterShape {
    boolean split = rowSide.size() < rowSide.whole() || columnSide.size() < columnSide.whole();
    if (split && gradient == GradientPart.PARTIAL) {
      throw new IllegalArgumentException(
          "No other tensor rank has a part of the gradient of " + name + ", which is split");
    }
  }

  /** A parameter of which a rank finds the whole gradient. */
  public ParameterShape(String name, Side rows, Side columns, Kind kind) {
    this(name, rows, columns, kind, GradientPart.WHOLE);
  }

  /** A parameter that is here whole, with the whole gradient. */
  public ParameterShape(String name, int rows, int columns, Kind kind) {
    this(name, Side.all(rows), Side.all(columns), kind);
  }

  /** Rows that are here. */
  public int rows() {
    return rowSide.size();
  }

  /** Columns that are here. */
  public int columns() {
    return columnSide.size();
  }

  /** Numbers that are here. */
  public long size() {
    return (long) rows() * columns();
  }

  /** Whether other tensor ranks hold some of it. */
  public boolean split() {
    return rows() < rowSide.whole() || columns() < columnSide.whole();
  }
}
