package org.longspan.executors.kernel;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;
import org.longspan.executors.kernel.LinearCase.Input;
import org.longspan.executors.memory.Arena;
import org.longspan.executors.memory.Matrix;
import org.longspan.executors.memory.Precision;

/**
 * Runs a problem as ranks would: the sequence cut into slices, states handed from slice to slice,
 * their gradients back. Matrices are views of columns; outputs hold NaN before they are written.
 */
final class LinearRanks {
  private static final int MARGIN = 3;

  private final LinearCase problem;
  private final LinearAttention attention;
  private final Precision precision;

  LinearRanks(LinearCase problem, LinearAttention attention, Precision precision) {
    this.problem = problem;
    this.attention = attention;
    this.precision = precision;
  }

  /**
   * @param cuts ascending offsets at which a next slice starts
   */
  LinearResult run(int... cuts) {
    AttentionShape shape = problem.shape();
    int tokens = problem.documents().tokens();
    int keys = shape.keyColumns();
    int values = shape.valueColumns();
    try (Arena arena = new Arena("ranks", precision)) {
      Matrix q = filled(arena, problem.get(Input.Q), tokens, keys);
      Matrix k = filled(arena, problem.get(Input.K), tokens, keys);
      Matrix v = filled(arena, problem.get(Input.V), tokens, values);
      Matrix outputGradient = filled(arena, problem.get(Input.OUTPUT_GRADIENT), tokens, values);
      Matrix o = poisoned(arena, tokens, values);
      Matrix dq = poisoned(arena, tokens, keys);
      Matrix dk = poisoned(arena, tokens, keys);
      Matrix dv = poisoned(arena, tokens, values);
      List<Slice> slices = slices(cuts);
      LinearTensors all = LinearTensors.of(q, k, v);
      LinearTensors gradients = LinearTensors.of(dq, dk, dv);
      List<Matrix> states = new ArrayList<>();
      List<Matrix> transitions = new ArrayList<>();
      states.add(filled(arena, problem.get(Input.INCOMING), keys, shape.valueWidth()));
      for (Slice slice : slices) {
        Matrix state = states.get(states.size() - 1);
        Matrix summary = poisoned(arena, keys, shape.valueWidth());
        Matrix transition = poisoned(arena, keys, 1);
        LinearTensors inputs = slice.of(all);
        attention.summarize(inputs, slice.documents, summary, transition);
        attention.forward(inputs, slice.documents, slice.of(o));
        attention.addIncoming(inputs, state, slice.documents, slice.of(o));
        states.add(joined(arena, transition, state, summary));
        transitions.add(transition);
      }
      Matrix stateGradient =
          filled(arena, problem.get(Input.FINAL_GRADIENT), keys, shape.valueWidth());
      for (int i = slices.size() - 1; i >= 0; i--) {
        Slice slice = slices.get(i);
        Matrix summary = poisoned(arena, keys, shape.valueWidth());
        LinearTensors inputs = slice.of(all);
        attention.summarizeGradient(inputs, slice.of(outputGradient), slice.documents, summary);
        attention.backward(
            inputs, slice.of(outputGradient), states.get(i), slice.documents, slice.of(gradients));
        attention.addIncomingGradient(
            inputs, states.get(i), stateGradient, slice.documents, slice.of(gradients));
        stateGradient = joined(arena, transitions.get(i), stateGradient, summary);
      }
      return new LinearResult(
          numbers(o),
          numbers(states.get(states.size() - 1)),
          numbers(dq),
          numbers(dk),
          numbers(dv),
          numbers(stateGradient));
    }
  }

  /** {@code transition · state + summary}, what the scan over ranks computes. */
  private Matrix joined(Arena arena, Matrix transition, Matrix state, Matrix summary) {
    AttentionShape shape = problem.shape();
    Matrix joined = poisoned(arena, shape.keyColumns(), shape.valueWidth());
    for (int row = 0; row < joined.rows(); row++) {
      for (int column = 0; column < joined.columns(); column++) {
        joined.put(
            row,
            column,
            transition.get(row, 0) * state.get(row, column) + summary.get(row, column));
      }
    }
    return joined;
  }

  private record Slice(int from, int to, Documents documents) {
    Matrix of(Matrix whole) {
      return whole.rows(from, to);
    }

    LinearTensors of(LinearTensors whole) {
      return whole.rows(from, to);
    }
  }

  private List<Slice> slices(int... cuts) {
    Documents whole = problem.documents();
    List<Slice> slices = new ArrayList<>();
    for (int i = 0; i <= cuts.length; i++) {
      int from = i == 0 ? 0 : cuts[i - 1];
      int to = i == cuts.length ? whole.tokens() : cuts[i];
      int[] starts =
          IntStream.range(0, whole.count())
              .map(whole::start)
              .filter(start -> start >= from && start < to)
              .map(start -> start - from)
              .toArray();
      long before = i == 0 ? whole.before() : before(whole, from);
      slices.add(new Slice(from, to, new Documents(to - from, starts, before)));
    }
    return slices;
  }

  private static long before(Documents whole, int from) {
    return from == whole.tokens() ? from - whole.startOf(from - 1) : from - whole.startOf(from);
  }

  static Matrix filled(Arena arena, double[] numbers, int rows, int columns) {
    Matrix matrix = poisoned(arena, rows, columns);
    for (int row = 0; row < rows; row++) {
      for (int column = 0; column < columns; column++) {
        matrix.put(row, column, numbers[row * columns + column]);
      }
    }
    return matrix;
  }

  static Matrix poisoned(Arena arena, int rows, int columns) {
    Matrix whole = arena.matrix(rows, columns + MARGIN);
    for (int row = 0; row < rows; row++) {
      for (int column = 0; column < columns + MARGIN; column++) {
        whole.put(row, column, Double.NaN);
      }
    }
    return whole.columns(1, columns + 1);
  }

  static double[] numbers(Matrix matrix) {
    int columns = matrix.columns();
    double[] numbers = new double[Math.toIntExact(matrix.size())];
    Arrays.setAll(numbers, i -> matrix.get(i / columns, i % columns));
    return numbers;
  }
}
