package org.longspan.executors.kernel;

import java.util.SplittableRandom;
import org.longspan.executors.memory.Arena;
import org.longspan.executors.memory.FloatMatrix;
import org.longspan.executors.memory.Matrix;
import org.longspan.executors.memory.Precision;
import org.longspan.executors.vector.FloatNumber;

/** Measures an attention's forward and backward together, on random numbers. */
final class TuningTrial {
  private static final int MOST_REPETITIONS = 3;
  private static final double MOST_SECONDS = 1;

  private TuningTrial() {}

  /** Linear attention by a rule: keys about as long as 1, decays that are weak. */
  static double seconds(
      LinearAttention attention, DeviceRule rule, AttentionShape shape, int tokens) {
    try (Arena arena = new Arena("of tuning", Precision.FLOAT)) {
      Documents documents = Documents.one(tokens, 0);
      Matrix state = arena.matrix(shape.keyColumns(), shape.valueWidth());
      int gates = shape.heads() * rule.gateWidth(shape.keyWidth());
      double length = Math.sqrt(3.0 / shape.keyWidth());
      LinearTensors inputs =
          new LinearTensors(
              numbers(arena, tokens, shape.keyColumns(), -length, length),
              numbers(arena, tokens, shape.keyColumns(), -length, length),
              numbers(arena, tokens, shape.valueColumns(), -1, 1),
              gates == 0 ? null : numbers(arena, tokens, gates, -0.1, 0),
              rule.replaces() ? numbers(arena, tokens, shape.heads(), 0, 1) : null);
      LinearTensors gradients =
          new LinearTensors(
              arena.matrix(tokens, shape.keyColumns()),
              arena.matrix(tokens, shape.keyColumns()),
              arena.matrix(tokens, shape.valueColumns()),
              gates == 0 ? null : arena.matrix(tokens, gates),
              rule.replaces() ? arena.matrix(tokens, shape.heads()) : null);
      Matrix outputs = arena.matrix(tokens, shape.valueColumns());
      return best(
          () -> {
            attention.forward(inputs, documents, outputs);
            attention.backward(inputs, outputs, state, documents, gradients);
          });
    }
  }

  /** Softmax attention. */
  static double seconds(WindowAttention attention, AttentionShape shape, int tokens) {
    try (Arena arena = new Arena("of tuning", Precision.FLOAT)) {
      Documents documents = Documents.one(tokens, 0);
      Matrix q = numbers(arena, tokens, shape.keyColumns(), -0.5, 0.5);
      Matrix k = numbers(arena, tokens, shape.keyColumns(), -0.5, 0.5);
      Matrix v = numbers(arena, tokens, shape.valueColumns(), -0.5, 0.5);
      Matrix outputs = arena.matrix(tokens, shape.valueColumns());
      Matrix logSums = arena.matrix(tokens, shape.heads());
      Matrix dq = arena.matrix(tokens, shape.keyColumns());
      Matrix dk = arena.matrix(tokens, shape.keyColumns());
      Matrix dv = arena.matrix(tokens, shape.valueColumns());
      return best(
          () -> {
            attention.forward(q, k, v, documents, 0, tokens, outputs, logSums);
            attention.backward(q, k, v, outputs, logSums, v, documents, dq, dk, dv);
          });
    }
  }

  private static Matrix numbers(Arena arena, int rows, int columns, double low, double high) {
    FloatMatrix matrix = (FloatMatrix) arena.matrix(rows, columns);
    SplittableRandom random = new SplittableRandom(columns);
    float[] row = new float[columns];
    for (int r = 0; r < rows; r++) {
      for (int i = 0; i < columns; i++) {
        row[i] = FloatNumber.of(random.nextDouble(low, high));
      }
      matrix.write(r, 0, row, 0, columns);
    }
    return matrix;
  }

  /** After one run that compiles. */
  private static double best(Runnable work) {
    work.run();
    double best = Double.MAX_VALUE;
    double total = 0;
    for (int i = 0; i < MOST_REPETITIONS && total < MOST_SECONDS; i++) {
      long before = System.nanoTime();
      work.run();
      double seconds = (System.nanoTime() - before) / 1e9;
      best = Math.min(best, seconds);
      total += seconds;
    }
    return best;
  }
}
