package org.longspan.executors.kernel;

import org.longspan.executors.memory.Matrix;
import org.longspan.parallelism.collective.ScanDirection;

/** What a slice makes of a state, as it is defined. */
public final class StateStep {
  private StateStep() {}

  /** {@code M · before + summary}, backward with the transpose, row-major. */
  public static double[] after(
      ScanDirection direction,
      AttentionShape shape,
      Matrix factors,
      Matrix before,
      Matrix summary) {
    int width = shape.keyWidth();
    int columns = summary.columns();
    double[] after = Matrices.numbers(summary);
    for (int row = 0; row < summary.rows(); row++) {
      int head = row / width * width;
      for (int column = 0; column < columns; column++) {
        for (int i = 0; i < width; i++) {
          after[row * columns + column] +=
              factor(direction, factors, row, head, i) * before.get(head + i, column);
        }
      }
    }
    return after;
  }

  /** What the row takes from row {@code head + i}. */
  private static double factor(ScanDirection direction, Matrix factors, int row, int head, int i) {
    if (factors.columns() == 1) {
      return row == head + i ? factors.get(row, 0) : 0;
    }
    return switch (direction) {
      case FORWARD -> factors.get(row, i);
      case BACKWARD -> factors.get(head + i, row - head);
    };
  }
}
