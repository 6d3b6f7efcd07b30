package org.longspan.executors.kernel;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.util.Arrays;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.longspan.executors.memory.Arena;
import org.longspan.executors.memory.Matrix;
import org.longspan.executors.memory.Precision;

class WindowAttentionTest {
  private static final double DOUBLE_BOUND = 1e-12;
  private static final double FLOAT_BOUND = 1e-6;

  @ParameterizedTest
  @CsvSource({"1,1", "3,5", "5,3", "64,65", "65,64"})
  void shouldEqualSoftmaxAtAnyWidth(int keyWidth, int valueWidth) {
    assertEqualsReference(
        new AttentionShape(3, keyWidth, valueWidth), Documents.one(150, 0), 40, 0);
  }

  @ParameterizedTest
  @CsvSource({
    "1,1",
    "1,200",
    "2,2",
    "63,64",
    "64,64",
    "65,64",
    "128,65",
    "200,1",
    "200,7",
    "200,63",
    "200,64",
    "200,65",
    "200,129",
    "200,200",
    "200,5000",
    "300,2147483647"
  })
  void shouldEqualSoftmaxAtAnyLengthAndWindow(int tokens, int window) {
    assertEqualsReference(new AttentionShape(2, 8, 4), Documents.one(tokens, 0), window, 0);
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 2, 30, 64, 100, 400})
  void shouldStopAtDocumentsAndReachOverRanks(int window) {
    Documents documents = new Documents(300, new int[] {0, 1, 40, 64, 150, 151, 290}, 0);
    AttentionShape shape = new AttentionShape(2, 7, 9);
    assertEqualsReference(shape, documents, window, 0);
    assertEqualsReference(shape, documents, window, 0, 150);
    assertEqualsReference(shape, documents, window, 0, 100, 120, 155, 230);
    assertEqualsReference(shape, documents, window, 20, 64, 64, 128, 256);
    assertEqualsReference(shape, Documents.one(300, 0), window, 0, 10, 20, 150, 299);
  }

  @Test
  void shouldGiveTheSameInPieces() {
    AttentionShape shape = new AttentionShape(2, 8, 8);
    Documents documents = new Documents(200, new int[] {77}, 3);
    try (Workers workers = new Workers(2);
        WindowAttention attention = Kernels.window(Precision.FLOAT, shape, 50, workers);
        Arena arena = new Arena("test", Precision.FLOAT)) {
      WindowReference reference = new WindowReference(3, shape, Documents.one(203, 0), 50);
      Matrix k = filled(arena, reference.k, 0, 203, 16);
      Matrix v = filled(arena, reference.v, 0, 203, 16);
      Matrix q = filled(arena, reference.q, 3, 203, 16);
      Matrix whole = poisoned(arena, 200, 16);
      Matrix pieces = poisoned(arena, 200, 16);
      Matrix logSums = poisoned(arena, 200, 2);
      attention.forward(q, k, v, documents, 0, 200, whole, logSums);
      attention.forward(q, k, v, documents, 49, 200, pieces, logSums);
      attention.forward(q, k, v, documents, 0, 49, pieces, logSums);
      attention.forward(q, k, v, documents, 49, 49, pieces, logSums);
      // Not to the last bit: the compiler's exponentials and the interpreter's differ there.
      assertThat(numbers(pieces)).containsExactly(numbers(whole), within(1e-6));
    }
  }

  @Test
  void shouldNoticeMistakes() {
    AttentionShape shape = new AttentionShape(2, 8, 8);
    Documents documents = Documents.one(150, 0);
    WindowReference right = new WindowReference(1, shape, documents, 40);
    WindowReference wider = new WindowReference(1, shape, documents, 41);
    WindowReference cut =
        new WindowReference(1, shape, new Documents(150, new int[] {0, 75}, 0), 40);
    run(right, 40, 0, Precision.FLOAT, FLOAT_BOUND);
    assertThatThrownBy(() -> run(wider, 40, 0, Precision.FLOAT, FLOAT_BOUND))
        .isInstanceOf(AssertionError.class);
    assertThatThrownBy(() -> run(right, 39, 0, Precision.FLOAT, FLOAT_BOUND, 70))
        .isInstanceOf(AssertionError.class);
    assertThat(LinearResult.distance(cut.o, right.o)).isGreaterThan(FLOAT_BOUND);
  }

  private static void assertEqualsReference(
      AttentionShape shape, Documents documents, int window, int spareHalo, int... cuts) {
    WindowReference reference = new WindowReference(1, shape, documents, window);
    run(reference, window, spareHalo, Precision.DOUBLE, DOUBLE_BOUND, cuts);
    run(reference, window, spareHalo, Precision.FLOAT, FLOAT_BOUND, cuts);
  }

  /** Runs the reference's inputs as ranks would and compares everything. */
  private static void run(
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
    try (Workers workers = new Workers(2);
        WindowAttention attention = Kernels.window(precision, shape, window, workers)) {
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

  private static Matrix filled(Arena arena, double[] numbers, int from, int to, int columns) {
    Matrix matrix = poisoned(arena, to - from, columns);
    for (int row = from; row < to; row++) {
      for (int column = 0; column < columns; column++) {
        matrix.put(row - from, column, numbers[row * columns + column]);
      }
    }
    return matrix;
  }

  private static Matrix poisoned(Arena arena, int rows, int columns) {
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

  private static double[] numbers(Matrix matrix) {
    double[] numbers = new double[Math.toIntExact(matrix.size())];
    int columns = matrix.columns();
    Arrays.setAll(numbers, i -> matrix.get(i / columns, i % columns));
    return numbers;
  }
}
