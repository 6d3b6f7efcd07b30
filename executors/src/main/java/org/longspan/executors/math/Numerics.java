package org.longspan.executors.math;

import org.longspan.executors.memory.Precision;

/** The arithmetic of one precision. */
public record Numerics(
    Precision precision, Products products, RowOperations rows, GateOperations gates) {

  /** Of {@code precision}. */
  public static Numerics of(Precision precision) {
    return switch (precision) {
      case FLOAT ->
          new Numerics(
              precision, new FloatProducts(), new FloatRowOperations(), new FloatGateOperations());
      case DOUBLE ->
          new Numerics(
              precision,
              new DoubleProducts(),
              new DoubleRowOperations(),
              new DoubleGateOperations());
    };
  }
}
