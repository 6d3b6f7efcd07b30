package org.longspan.executors.kernel;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Arrays;
import java.util.stream.IntStream;
import org.longspan.executors.memory.Arena;
import org.longspan.executors.memory.Matrix;
import org.longspan.executors.memory.Precision;

/** Runs a reference's inputs through an attention as ranks would, and compares everything. */
final class WindowRanks {
  private WindowRanks() {}

  /**
   * Runs and compares.
   *
   * @param spareHalo rows of the halo beyond what the window needs
   * @param cuts where a new rank's slice starts
   */
  static void run(
      WindowAttention attention,
      WindowReference reference,
      int window,
      int spareHalo,
      Precision precision,
      double bound,
      int... cuts) {
    AttentionShape shape = reference.shape;
    int tokens = reference.documents.tokens();
    double[] o = new double[reference.o.length];
    double[] logSums = new double[reference.logSums.length];
    double[] dq = new double[reference.dq.length];
    double[] dk = new double[reference.dk.length];
    double[] dv = new double[reference.dv.length];
    for (int i = 0; i <= cuts.length; i++) {
      int from = i == 0 ? 0 : cuts[i - 1];
      int to = i == cuts.length ? tokens : cuts[i];
      int halo = (int) Math.min(from, window - 1L + spareHalo);
      try (Arena arena = new Arena("rank", precision)) {
        int keys = shape.keyColumns();
        int values = shape.valueColumns();
        Documents documents = slice(reference.documents, from, to);
        Matrix q = filled(arena, reference.q, from, to, keys);
        Matrix k = filled(arena, reference.k, from - halo, to, keys);
        Matrix v = filled(arena, reference.v, from - halo, to, values);
        Matrix gradient = filled(arena, reference.outputGradient, from, to, values);
        Matrix rankO = poisoned(arena, to - from, values);
        Matrix rankSums = poisoned(arena, to - from, shape.heads());
        Matrix rankDq = poisoned(arena, to - from, keys);
        Matrix rankDk = poisoned(arena, halo + to - from, keys);
        Matrix rankDv = poisoned(arena, halo + to - from, values);
        attention.forward(q, k, v, documents, 0, to - from, rankO, rankSums);
        attention.backward(q, k, v, rankO, rankSums, gradient, documents, rankDq, rankDk, rankDv);
        add(rankO, o, from * values);
        add(rankSums, logSums, from * shape.heads());
        add(rankDq, dq, from * keys);
        add(rankDk, dk, (from - halo) * keys);
        add(rankDv, dv, (from - halo) * values);
      }
    }
    String name = precision + ", window " + window + ", cut at " + Arrays.toString(cuts) + ": ";
    assertClose(name + "o", o, reference.o, bound);
    assertClose(name + "log sums", logSums, reference.logSums, bound);
    assertGradientClose(name + "dq", dq, reference.dq, reference, bound);
    assertGradientClose(name + "dk", dk, reference.dk, reference, bound);
    assertClose(name + "dv", dv, reference.dv, bound);
  }

  private static void assertClose(String name, double[] actual, double[] expected, double bound) {
    assertThat(LinearResult.distance(actual, expected)).as(name).isLessThanOrEqualTo(bound);
  }

  /** Where each token sees only itself the gradients of scores are zero but for rounding. */
  private static void assertGradientClose(
      String name, double[] actual, double[] expected, WindowReference reference, double bound) {
    double floor = norm(reference.outputGradient) * 1e-2;
    if (norm(expected) < floor) {
      double[] difference = new double[actual.length];
      Arrays.setAll(difference, i -> actual[i] - expected[i]);
      assertThat(norm(difference)).as(name).isLessThanOrEqualTo(bound * 1e2 * floor);
    } else {
      assertClose(name, actual, expected, bound);
    }
  }

  private static double norm(double[] x) {
    return Math.sqrt(Arrays.stream(x).map(value -> value * value).sum());
  }

  private static Documents slice(Documents whole, int from, int to) {
    int[] starts =
        IntStream.range(0, whole.count())
            .map(whole::start)
            .filter(start -> start >= from && start < to)
            .map(start -> start - from)
            .toArray();
    long before = from == to ? 0 : from - whole.startOf(from);
    return new Documents(to - from, starts, before);
  }

  static Matrix filled(Arena arena, double[] numbers, int from, int to, int columns) {
    Matrix matrix = poisoned(arena, to - from, columns);
    for (int row = from; row < to; row++) {
      for (int column = 0; column < columns; column++) {
        matrix.put(row - from, column, numbers[row * columns + column]);
      }
    }
    return matrix;
  }

  static Matrix poisoned(Arena arena, int rows, int columns) {
    Matrix whole = arena.matrix(rows, columns + 2);
    for (int row = 0; row < rows; row++) {
      for (int column = 0; column < columns + 2; column++) {
        whole.put(row, column, Double.NaN);
      }
    }
    return whole.columns(2, columns + 2);
  }

  private static void add(Matrix part, double[] whole, int offset) {
    double[] numbers = numbers(part);
    for (int i = 0; i < numbers.length; i++) {
      whole[offset + i] += numbers[i];
    }
  }

  static double[] numbers(Matrix matrix) {
    double[] numbers = new double[Math.toIntExact(matrix.size())];
    int columns = matrix.columns();
    Arrays.setAll(numbers, i -> matrix.get(i / columns, i % columns));
    return numbers;
  }
}
