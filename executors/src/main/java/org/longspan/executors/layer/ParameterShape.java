package org.longspan.executors.layer;

/**
 * One parameter of a layer: {@code [rows, columns]}, row-major; a product takes rows in and gives
 * columns.
 */
public record ParameterShape(String name, int rows, int columns, Kind kind) {

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
    MEMORY
  }

  public long size() {
    return (long) rows * columns;
  }
}
