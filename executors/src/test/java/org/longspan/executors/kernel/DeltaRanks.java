package org.longspan.executors.kernel;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;
import org.longspan.executors.kernel.DeltaCase.Input;
import org.longspan.executors.kernel.DeltaResult.Part;
import org.longspan.executors.memory.Arena;
import org.longspan.executors.memory.Matrix;
import org.longspan.executors.memory.Precision;

/**
 * Runs a problem as ranks would: the sequence cut into slices, states handed from slice to slice as
 * {@code M S + summary}, their gradients back by {@code Mᵀ}. Matrices are views of columns; outputs
 * hold NaN before they are written.
 */
final class DeltaRanks {
  private static final int MARGIN = 3;

  private final DeltaCase problem;
  private final LinearAttention attention;
  private final Precision precision;

  DeltaRanks(DeltaCase problem, LinearAttention attention, Precision precision) {
    this.problem = problem;
    this.attention = attention;
    this.precision = precision;
  }

  /**
   * @param cuts ascending offsets at which a next slice starts
   */
  DeltaResult run(int... cuts) {
    AttentionShape shape = problem.shape();
    int tokens = problem.documents().tokens();
    int keys = shape.keyColumns();
    int width = shape.valueWidth();
    try (Arena arena = new Arena("ranks", precision)) {
      LinearTensors all =
          new LinearTensors(
              filled(arena, Input.Q, tokens, keys),
              filled(arena, Input.K, tokens, keys),
              filled(arena, Input.V, tokens, shape.valueColumns()),
              filled(arena, Input.GATES, tokens, shape.heads()),
              filled(arena, Input.BETA, tokens, shape.heads()));
      LinearTensors gradients =
          new LinearTensors(
              poisoned(arena, tokens, keys),
              poisoned(arena, tokens, keys),
              poisoned(arena, tokens, shape.valueColumns()),
              poisoned(arena, tokens, shape.heads()),
              poisoned(arena, tokens, shape.heads()));
      Matrix outputGradient = filled(arena, Input.OUTPUT_GRADIENT, tokens, shape.valueColumns());
      Matrix o = poisoned(arena, tokens, shape.valueColumns());
      List<Slice> slices = slices(cuts);
      List<Matrix> states = new ArrayList<>();
      List<Matrix> transitions = new ArrayList<>();
      states.add(filled(arena, Input.INCOMING, keys, width));
      for (Slice slice : slices) {
        Matrix state = states.get(states.size() - 1);
        Matrix summary = poisoned(arena, keys, width);
        Matrix transition = poisoned(arena, keys, attention.transitionColumns());
        LinearTensors inputs = slice.of(all);
        attention.summarize(inputs, slice.documents, summary, transition);
        attention.forward(inputs, slice.documents, slice.of(o));
        attention.addIncoming(inputs, state, slice.documents, slice.of(o));
        states.add(joined(arena, transition, false, state, summary));
        transitions.add(transition);
      }
      Matrix stateGradient = filled(arena, Input.FINAL_GRADIENT, keys, width);
      for (int i = slices.size() - 1; i >= 0; i--) {
        Slice slice = slices.get(i);
        Matrix summary = poisoned(arena, keys, width);
        LinearTensors inputs = slice.of(all);
        attention.summarizeGradient(inputs, slice.of(outputGradient), slice.documents, summary);
        attention.backward(
            inputs, slice.of(outputGradient), states.get(i), slice.documents, slice.of(gradients));
        attention.addIncomingGradient(
            inputs, states.get(i), stateGradient, slice.documents, slice.of(gradients));
        stateGradient = joined(arena, transitions.get(i), true, stateGradient, summary);
      }
      DeltaResult result = new DeltaResult();
      result.put(Part.O, numbers(o));
      result.put(Part.FINAL_STATE, numbers(states.get(states.size() - 1)));
      result.put(Part.DQ, numbers(gradients.q()));
      result.put(Part.DK, numbers(gradients.k()));
      result.put(Part.DV, numbers(gradients.v()));
      result.put(Part.DGATES, numbers(gradients.gates()));
      result.put(Part.DBETA, numbers(gradients.beta()));
      result.put(Part.INCOMING_GRADIENT, numbers(stateGradient));
      return result;
    }
  }

  /** {@code M · state + summary}, or {@code Mᵀ · state + summary}, what the scan computes. */
  private Matrix joined(
      Arena arena, Matrix transition, boolean isTransposed, Matrix state, Matrix summary) {
    AttentionShape shape = problem.shape();
    int width = shape.keyWidth();
    Matrix joined = poisoned(arena, shape.keyColumns(), shape.valueWidth());
    for (int row = 0; row < joined.rows(); row++) {
      int head = row / width;
      int i = row % width;
      for (int column = 0; column < joined.columns(); column++) {
        double sum = summary.get(row, column);
        for (int j = 0; j < width; j++) {
          double factor =
              isTransposed ? transition.get(head * width + j, i) : transition.get(row, j);
          sum += factor * state.get(head * width + j, column);
        }
        joined.put(row, column, sum);
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

  private Matrix filled(Arena arena, Input input, int rows, int columns) {
    double[] numbers = problem.get(input);
    Matrix matrix = poisoned(arena, rows, columns);
    for (int row = 0; row < rows; row++) {
      for (int column = 0; column < columns; column++) {
        matrix.put(row, column, numbers[row * columns + column]);
      }
    }
    return matrix;
  }

  private static Matrix poisoned(Arena arena, int rows, int columns) {
    Matrix whole = arena.matrix(rows, columns + MARGIN);
    for (int row = 0; row < rows; row++) {
      for (int column = 0; column < columns + MARGIN; column++) {
        whole.put(row, column, Double.NaN);
      }
    }
    return whole.columns(1, columns + 1);
  }

  private static double[] numbers(Matrix matrix) {
    int columns = matrix.columns();
    double[] numbers = new double[Math.toIntExact(matrix.size())];
    Arrays.setAll(numbers, i -> matrix.get(i / columns, i % columns));
    return numbers;
  }
}
