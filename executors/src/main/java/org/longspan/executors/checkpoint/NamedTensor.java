package org.longspan.executors.checkpoint;

import java.util.List;
import org.longspan.executors.memory.Matrix;

/**
 * A tensor to write: its name, its shape, and its numbers in row-major order.
 *
 * @param values contiguous, as many numbers as the shape has
 */
public record NamedTensor(String name, List<Long> shape, Matrix values) {
  public NamedTensor {
    shape = List.copyOf(shape);
    long size = shape.stream().reduce(1L, (a, b) -> a * b);
    if (size != values.size() || !values.isContiguous()) {
      throw new IllegalArgumentException(
          "Tensor " + name + " of shape " + shape + " cannot be " + values);
    }
  }

  /** A matrix as it is. */
  public static NamedTensor of(String name, Matrix values) {
    return new NamedTensor(name, List.of(values.rows(), (long) values.columns()), values);
  }
}
