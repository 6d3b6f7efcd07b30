package org.longspan.executors.checkpoint;

import java.util.List;
import java.util.function.Supplier;
import org.longspan.executors.memory.Matrix;
import org.longspan.executors.memory.Precision;

/**
 * A tensor to write: its name, its shape, and its numbers in row-major order.
 *
 * @param precision of its numbers
 * @param source gives them once they are to be written: contiguous, as many as the shape has. The
 *     next tensor's may overwrite them
 */
public record NamedTensor(
    String name, List<Long> shape, Precision precision, Supplier<Matrix> source) {
  public NamedTensor {
    shape = List.copyOf(shape);
  }

  /** A tensor whose numbers are there. */
  public NamedTensor(String name, List<Long> shape, Matrix values) {
    this(name, shape, values.precision(), () -> values);
    check(values);
  }

  /** Numbers in it. */
  long size() {
    return shape.stream().reduce(1L, (a, b) -> a * b);
  }

  /** Its numbers, now. */
  Matrix values() {
    Matrix values = source.get();
    check(values);
    return values;
  }

  private void check(Matrix values) {
    if (size() != values.size() || !values.isContiguous()) {
      throw new IllegalArgumentException(
          "Tensor " + name + " of shape " + shape + " cannot be " + values);
    }
  }

  /** A matrix as it is. */
  public static NamedTensor of(String name, Matrix values) {
    return new NamedTensor(name, List.of(values.rows(), (long) values.columns()), values);
  }
}
