package org.longspan.executors.kernel;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.longspan.executors.kernel.AttentionCase.Input;
import org.longspan.executors.kernel.AttentionResult.Tolerance;
import org.longspan.executors.layer.LinearRule;
import org.longspan.executors.memory.Arena;
import org.longspan.executors.memory.Matrix;
import org.longspan.executors.memory.Precision;

/** Linear attention on the CPU that waits for a state before it has done all of its own part. */
class EarlyStateTest {
  /** Eight chunks are the least that is done before a state is waited for. */
  private static final int CHUNK = 4;

  private static final int SEGMENT = 8 * CHUNK;

  private static AttentionRanks early(AttentionCase problem, Precision precision) {
    return AttentionRanks.of(problem, precision, CHUNK)
        .withKernel(workers -> early(problem, precision, workers));
  }

  private static LinearAttention early(
      AttentionCase problem, Precision precision, Workers workers) {
    return switch (precision) {
      case FLOAT ->
          new FloatLinearAttention(problem.shape(), problem.slopes(), CHUNK, workers, "early", 0);
      case DOUBLE ->
          new DoubleLinearAttention(problem.shape(), problem.slopes(), CHUNK, workers, "early", 0);
    };
  }

  private static AttentionCase problem(double strength, Documents documents) {
    return AttentionCase.random(
        41, LinearRule.CONSTANT, new AttentionShape(3, 6, 5), strength, documents);
  }

  private static void assertEqualsRecurrence(AttentionCase problem, int threads, int... cuts) {
    AttentionResult expected = AttentionRecurrence.of(problem);
    for (Precision precision : Precision.values()) {
      early(problem, precision)
          .withThreads(threads)
          .run(cuts)
          .assertEquals(
              expected,
              Tolerance.of(LinearRule.CONSTANT, precision),
              precision + " on " + threads + " threads:",
              problem.documents().tokens(),
              cuts);
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {0, 1, 4, 31, 32, 33, 63, 64, 65, 100, 128, 200, 300})
  void shouldEqualTheRecurrenceAtAnyLength(int tokens) {
    for (double strength : new double[] {0, 1.0 / 256, 1.0 / 16, 1, 16}) {
      for (int threads = 1; threads <= 4; threads++) {
        assertEqualsRecurrence(problem(strength, Documents.one(tokens, 3)), threads);
      }
    }
  }

  @ParameterizedTest
  @CsvSource({"100,200", "32,64", "5,150", "31,33", "299,300"})
  void shouldEqualTheRecurrenceOnThreeRanks(int first, int second) {
    for (int threads = 1; threads <= 3; threads++) {
      assertEqualsRecurrence(problem(1.0 / 64, Documents.one(300, 3)), threads, first, second);
      assertEqualsRecurrence(
          problem(1.0 / 64, new Documents(300, new int[] {120}, 3)), threads, first, second);
    }
  }

  /** Starts before, at and behind the place where a state is waited for, seen from either end. */
  @ParameterizedTest
  @ValueSource(
      strings = {
        "0",
        "1",
        "31",
        "32",
        "33",
        "63",
        "64",
        "96",
        "97",
        "128",
        "150",
        "159",
        "160",
        "161",
        "191",
        "192",
        "193",
        "199",
        "31 192",
        "32 160",
        "64 65 66",
        "5 40 80 120 155 195"
      })
  void shouldStopAtDocumentBoundaries(String starts) {
    int[] offsets = LinearAttentionTest.numbers(starts);
    Documents documents = new Documents(200, offsets, offsets[0] == 0 ? 0 : 9);
    for (int threads = 1; threads <= 3; threads++) {
      assertEqualsRecurrence(problem(1.0 / 64, documents), threads);
    }
  }

  @ParameterizedTest
  @EnumSource
  void shouldGiveTheSameBitsOnAnyNumberOfThreads(Precision precision) {
    AttentionCase problem = problem(1.0 / 64, new Documents(900, new int[] {310}, 9));
    AttentionResult one = early(problem, precision).run(300, 600);
    for (int threads = 2; threads <= 5; threads++) {
      early(problem, precision)
          .withThreads(threads)
          .run(300, 600)
          .assertSame(one, threads + " threads");
    }
  }

  @Test
  void shouldWaitForAStateWhenAFourthIsDone() {
    int tokens = 8 * SEGMENT;
    assertWritesBeforeItWaits(
        problem(1.0 / 64, Documents.one(tokens, 3)), 2 * SEGMENT, 6 * SEGMENT);
  }

  @ParameterizedTest
  @ValueSource(ints = {SEGMENT, 2 * SEGMENT, 6 * SEGMENT, 7 * SEGMENT})
  void shouldNotWaitWithWhatNeedsNoState(int start) {
    int tokens = 8 * SEGMENT;
    assertWritesBeforeItWaits(
        problem(1.0 / 64, new Documents(tokens, new int[] {start}, 3)),
        start <= 2 * SEGMENT ? tokens : 2 * SEGMENT,
        start >= 6 * SEGMENT ? 0 : 6 * SEGMENT);
  }

  /**
   * Forward the rows before {@code end} and backward those from {@code begin} on, and in the end
   * all.
   */
  private static void assertWritesBeforeItWaits(AttentionCase problem, int end, int begin) {
    int tokens = problem.documents().tokens();
    AttentionShape shape = problem.shape();
    try (Workers workers = new Workers(1);
        Arena arena = new Arena("test", Precision.FLOAT);
        LinearAttention attention = early(problem, Precision.FLOAT, workers)) {
      LinearTensors inputs =
          LinearTensors.of(
              filled(arena, problem, Input.Q),
              filled(arena, problem, Input.K),
              filled(arena, problem, Input.V));
      Matrix state = Matrices.filled(arena, problem.get(Input.INCOMING), 0, shape.keyColumns(), 5);
      Matrix o = Matrices.poisoned(arena, tokens, shape.valueColumns());
      attention.forward(
          inputs,
          () -> {
            assertWritten(o, 0, end);
            return state;
          },
          problem.documents(),
          o);
      assertWritten(o, 0, tokens);

      LinearTensors gradients =
          LinearTensors.of(
              Matrices.poisoned(arena, tokens, shape.keyColumns()),
              Matrices.poisoned(arena, tokens, shape.keyColumns()),
              Matrices.poisoned(arena, tokens, shape.valueColumns()));
      attention.backward(
          inputs,
          filled(arena, problem, Input.OUTPUT_GRADIENT),
          state,
          () -> {
            assertWritten(gradients.v(), begin, tokens);
            return state;
          },
          problem.documents(),
          gradients);
      assertWritten(gradients.v(), 0, tokens);
    }
  }

  private static Matrix filled(Arena arena, AttentionCase problem, Input input) {
    int tokens = problem.documents().tokens();
    return Matrices.filled(arena, problem.get(input), 0, tokens, problem.columns(input));
  }

  /** The rows {@code [from, to)} and no others. */
  private static void assertWritten(Matrix matrix, int from, int to) {
    assertThat(
            IntStream.range(0, Math.toIntExact(matrix.rows()))
                .filter(row -> !Double.isNaN(matrix.get(row, 0))))
        .containsExactly(IntStream.range(from, to).boxed().toArray(Integer[]::new));
  }
}
