package org.longspan.executors.math;

import org.longspan.executors.memory.Precision;

/** The arithmetic of one precision. */
public record Numerics(Precision precision, Products products, RowOperations rows) {

  /** Of {@code precision}. */
  public static Numerics of(Precision precision) {
    return switch (precision) {
      case FLOAT -> new Numerics(precision, new FloatProducts(), new FloatRowOperations());
      case DOUBLE -> new Numerics(precision, new DoubleProducts(), new DoubleRowOperations());
    };
  }
}
