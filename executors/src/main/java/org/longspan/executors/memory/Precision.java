package org.longspan.executors.memory;

/** The width of every number of a run: float trains, double proves gradients. */
public enum Precision {
  FLOAT(Float.BYTES),
  DOUBLE(Double.BYTES);

  private final int bytes;

  Precision(int bytes) {
    this.bytes = bytes;
  }

  /** Bytes of one number. */
  public int bytes() {
    return bytes;
  }
}
