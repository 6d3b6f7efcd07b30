package org.longspan.executors.kernel;

import java.util.ArrayList;
import java.util.List;
import org.longspan.executors.kernel.LinearCase.Input;
import org.longspan.executors.memory.Arena;
import org.longspan.executors.memory.Matrix;
import org.longspan.executors.memory.Precision;

/**
 * Runs a problem with gates as ranks would: the sequence cut into slices, states handed from slice
 * to slice, their gradients back. Matrices are views of columns; outputs hold NaN before they are
 * written.
 */
final class GatedRanks {
  private final GatedCase problem;
  private final LinearAttention attention;
  private final Precision precision;

  GatedRanks(GatedCase problem, LinearAttention attention, Precision precision) {
    this.problem = problem;
    this.attention = attention;
    this.precision = precision;
  }

  /**
   * @param cuts ascending offsets at which a next slice starts
   */
  GatedResult run(int... cuts) {
    AttentionShape shape = problem.shape();
    int tokens = problem.documents().tokens();
    int keys = shape.keyColumns();
    int values = shape.valueColumns();
    int gates = problem.gateWidth().columns(shape);
    try (Arena arena = new Arena("ranks", precision)) {
      LinearTensors inputs =
          new LinearTensors(
              LinearRanks.filled(arena, problem.get(Input.Q), tokens, keys),
              LinearRanks.filled(arena, problem.get(Input.K), tokens, keys),
              LinearRanks.filled(arena, problem.get(Input.V), tokens, values),
              LinearRanks.filled(arena, problem.gates(), tokens, gates),
              null);
      LinearTensors gradients =
          new LinearTensors(
              LinearRanks.poisoned(arena, tokens, keys),
              LinearRanks.poisoned(arena, tokens, keys),
              LinearRanks.poisoned(arena, tokens, values),
              LinearRanks.poisoned(arena, tokens, gates),
              null);
      Matrix o = LinearRanks.poisoned(arena, tokens, values);
      List<Matrix> transitions = new ArrayList<>();
      List<Matrix> states = new ArrayList<>();
      states.add(state(arena, Input.INCOMING));
      for (int i = 0; i <= cuts.length; i++) {
        Matrix summary = LinearRanks.poisoned(arena, keys, shape.valueWidth());
        Matrix transition = LinearRanks.poisoned(arena, keys, 1);
        Documents documents = documents(i, cuts);
        LinearTensors slice = inputs.rows(from(i, cuts), to(i, cuts));
        Matrix outputs = o.rows(from(i, cuts), to(i, cuts));
        attention.summarize(slice, documents, summary, transition);
        attention.forward(slice, documents, outputs);
        attention.addIncoming(slice, states.get(i), documents, outputs);
        transitions.add(transition);
        states.add(joined(arena, transition, states.get(i), summary));
      }
      Matrix outputGradient =
          LinearRanks.filled(arena, problem.get(Input.OUTPUT_GRADIENT), tokens, values);
      Matrix stateGradient = state(arena, Input.FINAL_GRADIENT);
      for (int i = cuts.length; i >= 0; i--) {
        Matrix summary = LinearRanks.poisoned(arena, keys, shape.valueWidth());
        Documents documents = documents(i, cuts);
        LinearTensors slice = inputs.rows(from(i, cuts), to(i, cuts));
        LinearTensors sliceGradients = gradients.rows(from(i, cuts), to(i, cuts));
        Matrix outputs = outputGradient.rows(from(i, cuts), to(i, cuts));
        attention.summarizeGradient(slice, outputs, documents, summary);
        attention.backward(slice, outputs, states.get(i), documents, sliceGradients);
        attention.addIncomingGradient(
            slice, states.get(i), stateGradient, documents, sliceGradients);
        stateGradient = joined(arena, transitions.get(i), stateGradient, summary);
      }
      return new GatedResult(
          new LinearResult(
              LinearRanks.numbers(o),
              LinearRanks.numbers(states.get(states.size() - 1)),
              LinearRanks.numbers(gradients.q()),
              LinearRanks.numbers(gradients.k()),
              LinearRanks.numbers(gradients.v()),
              LinearRanks.numbers(stateGradient)),
          LinearRanks.numbers(gradients.gates()));
    }
  }

  private Matrix state(Arena arena, Input input) {
    AttentionShape shape = problem.shape();
    return LinearRanks.filled(arena, problem.get(input), shape.keyColumns(), shape.valueWidth());
  }

  /** {@code transition · state + summary}, what the scan over ranks computes. */
  private static Matrix joined(Arena arena, Matrix transition, Matrix state, Matrix summary) {
    Matrix joined = LinearRanks.poisoned(arena, Math.toIntExact(state.rows()), state.columns());
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

  private Documents documents(int slice, int[] cuts) {
    return problem.documents().piece(from(slice, cuts), to(slice, cuts));
  }

  private static int from(int slice, int[] cuts) {
    return slice == 0 ? 0 : cuts[slice - 1];
  }

  private int to(int slice, int[] cuts) {
    return slice == cuts.length ? problem.documents().tokens() : cuts[slice];
  }
}
