package org.longspan.executors.math;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.Random;
import java.util.function.DoubleSupplier;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.longspan.executors.memory.Arena;
import org.longspan.executors.memory.Matrix;
import org.longspan.executors.memory.Precision;

class GateOperationsTest {
  private static final int ROWS = 3;
  private static final int HEADS = 2;
  private static final int HEAD_WIDTH = 7;
  private static final int WIDTH = HEADS * HEAD_WIDTH;
  private static final double STEP = 1e-5;
  private static final double DIFFERENCES = 1e-8;

  private final Random random = new Random(3);
  private final Arena arena = new Arena("test", Precision.DOUBLE);
  private final GateOperations gates = Numerics.of(Precision.DOUBLE).gates();
  private final Matrix x = uniform(ROWS, WIDTH);
  private final Matrix bias = uniform(1, WIDTH);
  private final Matrix weights = uniform(ROWS, WIDTH);
  private final Matrix out = arena.matrix(ROWS, WIDTH);

  @AfterEach
  void close() {
    arena.close();
  }

  @Test
  void shouldMakeLogGatesOfASixteenthOfALogSigmoid() {
    gates.logGates(x, bias, out);
    for (int row = 0; row < ROWS; row++) {
      for (int column = 0; column < WIDTH; column++) {
        double z = x.get(row, column) + bias.get(0, column);
        assertThat(out.get(row, column))
            .isCloseTo(-StrictMath.log1p(StrictMath.exp(-z)) / 16, within(1e-15));
      }
    }
  }

  @Test
  void shouldGiveTheLogGatesGradientsAndAddTheBiass() {
    Matrix dx = poison();
    Matrix dbias = uniform(1, WIDTH);
    Matrix before = arena.matrix(1, WIDTH);
    before.set(dbias);
    gates.logGatesGradient(x, bias, weights, dx, dbias);
    DoubleSupplier loss =
        () -> {
          gates.logGates(x, bias, out);
          return weighed();
        };
    assertIsGradient(dx, x, loss);
    for (int column = 0; column < WIDTH; column++) {
      double added = dbias.get(0, column) - before.get(0, column);
      assertThat(added).isCloseTo(slope(bias, 0, column, loss), within(DIFFERENCES));
    }
  }

  @Test
  void shouldGiveTheSigmoidsGradient() {
    Matrix dx = poison();
    gates.sigmoidGradient(x, weights, dx);
    assertIsGradient(
        dx,
        x,
        () -> {
          gates.sigmoid(x, out);
          return weighed();
        });
  }

  @Test
  void shouldGiveTheGradientOfHeadsOfUnitLength() {
    Matrix dx = arena.matrix(ROWS, WIDTH);
    dx.set(weights);
    gates.unitHeadsGradient(x, HEAD_WIDTH, dx);
    assertIsGradient(
        dx,
        x,
        () -> {
          gates.unitHeads(x, HEAD_WIDTH, out);
          return weighed();
        });
  }

  private double weighed() {
    double sum = 0;
    for (int row = 0; row < ROWS; row++) {
      for (int column = 0; column < WIDTH; column++) {
        sum += weights.get(row, column) * out.get(row, column);
      }
    }
    return sum;
  }

  private static void assertIsGradient(Matrix gradient, Matrix of, DoubleSupplier loss) {
    for (int row = 0; row < of.rows(); row++) {
      for (int column = 0; column < of.columns(); column++) {
        assertThat(gradient.get(row, column))
            .isCloseTo(slope(of, row, column, loss), within(DIFFERENCES));
      }
    }
  }

  private static double slope(Matrix at, int row, int column, DoubleSupplier loss) {
    double value = at.get(row, column);
    at.put(row, column, value + STEP);
    double above = loss.getAsDouble();
    at.put(row, column, value - STEP);
    double below = loss.getAsDouble();
    at.put(row, column, value);
    return (above - below) / (2 * STEP);
  }

  private Matrix poison() {
    Matrix matrix = arena.matrix(ROWS, WIDTH);
    for (int row = 0; row < ROWS; row++) {
      for (int column = 0; column < WIDTH; column++) {
        matrix.put(row, column, Double.NaN);
      }
    }
    return matrix;
  }

  private Matrix uniform(int rows, int columns) {
    Matrix matrix = arena.matrix(rows, columns);
    for (int row = 0; row < rows; row++) {
      for (int column = 0; column < columns; column++) {
        matrix.put(row, column, 4 * random.nextDouble() - 2);
      }
    }
    return matrix;
  }
}
