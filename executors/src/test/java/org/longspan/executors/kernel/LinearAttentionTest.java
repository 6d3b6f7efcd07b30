package org.longspan.executors.kernel;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.Arrays;
import java.util.Map;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.longspan.executors.kernel.AttentionCase.Input;
import org.longspan.executors.kernel.AttentionResult.Part;
import org.longspan.executors.kernel.AttentionResult.Tolerance;
import org.longspan.executors.layer.LinearRule;
import org.longspan.executors.memory.Arena;
import org.longspan.executors.memory.Precision;

/** Linear attention by every rule against the recurrence that defines it. */
class LinearAttentionTest {
  private static final Tolerance MISTAKE = new Tolerance(1e-5, 1e-5);
  private static final double DIFFERENCE_BOUND = 1e-6;
  private static final int CHUNK = 64;

  @ParameterizedTest
  @CsvSource({"1,1", "3,5", "5,3", "64,64", "65,64", "64,65", "17,1", "1,17", "8,40"})
  void shouldEqualTheRecurrenceAtAnyWidth(int keyWidth, int valueWidth) {
    AttentionShape shape = new AttentionShape(3, keyWidth, valueWidth);
    for (LinearRule rule : LinearRule.values()) {
      for (double strength : new double[] {1, 0.2, 1.0 / 16}) {
        assertEqualsRecurrence(
            AttentionCase.random(1, rule, shape, strength, Documents.one(150, 7)), 2, CHUNK);
      }
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {0, 1, 2, 15, 16, 17, 63, 64, 65, 127, 128, 200, 256, 257, 1100})
  void shouldEqualTheRecurrenceAtAnyLength(int tokens) {
    AttentionShape shape = new AttentionShape(2, 9, 4);
    for (LinearRule rule : LinearRule.values()) {
      double strength = rule == LinearRule.CONSTANT ? 1 : 0.2;
      AttentionCase problem =
          AttentionCase.random(2, rule, shape, strength, Documents.one(tokens, 1));
      assertEqualsRecurrence(problem, 2, CHUNK);
      assertEqualsRecurrence(problem, 3, CHUNK);
    }
  }

  @ParameterizedTest
  @ValueSource(doubles = {0, 1e-9, 1.0 / 256, 1.0 / 16, 1, 10, 16, 40, 100, 1000})
  void shouldEqualTheRecurrenceUnderStrongAndWeakGates(double strength) {
    AttentionShape shape = new AttentionShape(4, 8, 6);
    for (LinearRule rule : LinearRule.values()) {
      AttentionCase problem =
          AttentionCase.random(33, rule, shape, strength, Documents.one(700, 3));
      assertEqualsRecurrence(problem, 2, CHUNK, 300);
    }
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "0",
        "0 1",
        "0 1 2 3",
        "15",
        "16",
        "17",
        "63",
        "64",
        "65",
        "0 64 128",
        "1 63 65",
        "199",
        "0 100",
        "130 131",
        "10 70 71 128 190",
        "0 5 10 15 64 90"
      })
  void shouldStopAtDocumentBoundaries(String starts) {
    int[] offsets = numbers(starts);
    AttentionShape shape = new AttentionShape(3, 5, 8);
    Documents documents = new Documents(200, offsets, offsets[0] == 0 ? 0 : 20);
    for (LinearRule rule : LinearRule.values()) {
      for (double strength : new double[] {1, 1.0 / 256}) {
        AttentionCase problem = AttentionCase.random(4, rule, shape, strength, documents);
        assertEqualsRecurrence(problem, 2, CHUNK);
        assertEqualsRecurrence(problem, 3, CHUNK);
      }
    }
  }

  @ParameterizedTest
  @EnumSource
  void shouldStopAtHundredsOfBoundaries(LinearRule rule) {
    int[] starts = IntStream.range(0, 400).map(i -> 3 * i + i % 2).toArray();
    AttentionShape shape = new AttentionShape(3, 6, 4);
    AttentionCase problem =
        AttentionCase.random(5, rule, shape, 1.0 / 16, new Documents(1300, starts, 0));
    assertEqualsRecurrence(problem, 2, CHUNK);
    assertEqualsRecurrence(problem, 3, CHUNK, 301, 302, 650, 1100);
  }

  @ParameterizedTest
  @CsvSource({"1,2", "4,1", "7,2", "16,3", "64,5", "100,2"})
  void shouldEqualTheRecurrenceAtAnyChunkAndThreads(int chunk, int threads) {
    Documents documents = new Documents(300, new int[] {33, 64, 209}, 5);
    for (LinearRule rule : LinearRule.values()) {
      if (chunk == 1 && rule == LinearRule.CONSTANT) {
        // The state is rounded at every token, to just beyond the bound of float.
        continue;
      }
      int[] valueWidths = rule == LinearRule.DELTA ? new int[] {7, 37} : new int[] {7};
      for (int valueWidth : valueWidths) {
        AttentionShape shape = new AttentionShape(4, 6, valueWidth);
        assertEqualsRecurrence(
            AttentionCase.random(16, rule, shape, 1.0 / 16, documents), threads, chunk);
      }
    }
  }

  @ParameterizedTest
  @EnumSource
  void shouldGiveTheSameBitsOnAnyNumberOfThreads(LinearRule rule) {
    AttentionShape shape = new AttentionShape(3, 16, 56);
    Documents documents = new Documents(1500, new int[] {777}, 9);
    for (double strength : new double[] {20, 1, 1.0 / 16}) {
      AttentionCase problem = AttentionCase.random(7, rule, shape, strength, documents);
      AttentionRanks ranks = AttentionRanks.of(problem, Precision.FLOAT, CHUNK);
      AttentionResult one = ranks.run(500, 1000);
      for (int threads = 2; threads <= 5; threads++) {
        ranks.withThreads(threads).run(500, 1000).assertSame(one, threads + " threads");
      }
    }
  }

  @ParameterizedTest
  @EnumSource
  void shouldAgreeWithFiniteDifferences(LinearRule rule) {
    AttentionShape shape = new AttentionShape(2, 3, 2);
    for (Documents documents :
        new Documents[] {Documents.one(11, 4), new Documents(11, new int[] {6}, 4)}) {
      assertFiniteDifferences(AttentionCase.random(8, rule, shape, 0.5, documents));
    }
  }

  static void assertFiniteDifferences(AttentionCase problem) {
    AttentionResult result = AttentionRanks.of(problem, Precision.DOUBLE, 4).run(5);
    Map.of(
            Input.Q, Part.DQ,
            Input.K, Part.DK,
            Input.V, Part.DV,
            Input.GATES, Part.DGATES,
            Input.BETA, Part.DBETA,
            Input.INCOMING, Part.INCOMING_GRADIENT)
        .forEach(
            (input, part) ->
                assertThat(RankwiseError.distance(result.get(part), differences(problem, input)))
                    .as(part.name())
                    .isLessThan(DIFFERENCE_BOUND));
  }

  private static double[] differences(AttentionCase problem, Input part) {
    double step = 1e-5;
    double[] input = problem.get(part);
    double[] estimates = new double[input.length];
    for (int i = 0; i < input.length; i++) {
      double[] moved = input.clone();
      moved[i] = input[i] + step;
      double above = loss(problem.with(part, moved));
      moved[i] = input[i] - step;
      estimates[i] = (above - loss(problem.with(part, moved))) / (2 * step);
    }
    return estimates;
  }

  /** ⟨o, its gradient⟩ + ⟨final state, its gradient⟩. */
  private static double loss(AttentionCase problem) {
    AttentionResult result = AttentionRanks.of(problem, Precision.DOUBLE, 4).run();
    return inner(result.get(Part.O), problem.get(Input.OUTPUT_GRADIENT))
        + inner(result.get(Part.FINAL_STATE), problem.get(Input.FINAL_GRADIENT));
  }

  private static double inner(double[] a, double[] b) {
    return IntStream.range(0, a.length).mapToDouble(i -> a[i] * b[i]).sum();
  }

  @ParameterizedTest
  @EnumSource
  void shouldNoticeMistakes(LinearRule rule) {
    AttentionShape shape = new AttentionShape(2, 8, 8);
    AttentionCase problem = AttentionCase.random(9, rule, shape, 1.0 / 256, Documents.one(256, 3));
    AttentionResult result = AttentionRanks.of(problem, Precision.FLOAT, CHUNK).run();
    result.assertEquals(
        AttentionRecurrence.of(problem), Tolerance.of(rule, Precision.FLOAT), "no mistake", 256);
    assertDiffers(result, problem.mapped(Input.INCOMING, x -> 0));
    assertDiffers(result, problem.mapped(Input.FINAL_GRADIENT, x -> 0));
    assertDiffers(
        result,
        problem
            .mapped(Input.GATES, gate -> 1.01 * gate)
            .withSlopes(Arrays.stream(problem.slopes()).map(slope -> 1.01 * slope).toArray()));
    double[] late = problem.get(Input.INCOMING).clone();
    Arrays.setAll(late, i -> late[i] * problem.decay(0, i / shape.valueWidth()));
    assertDiffers(result, problem.with(Input.INCOMING, late));
    assertDiffers(result, problem.with(Input.K, swapped(problem)));
    assertDiffers(result, problem.withDocuments(new Documents(256, new int[] {128}, 3)));
  }

  /** The keys with the first two chunks exchanged. */
  private static double[] swapped(AttentionCase problem) {
    int chunk = CHUNK * problem.shape().keyColumns();
    double[] keys = problem.get(Input.K);
    double[] swapped = keys.clone();
    System.arraycopy(keys, 0, swapped, chunk, chunk);
    System.arraycopy(keys, chunk, swapped, 0, chunk);
    return swapped;
  }

  private static void assertDiffers(AttentionResult result, AttentionCase other) {
    AttentionResult wrong = AttentionRecurrence.of(other);
    assertThatThrownBy(() -> result.assertEquals(wrong, MISTAKE, "mistake", 256))
        .isInstanceOf(AssertionError.class);
  }

  @Test
  void shouldRefuseMatricesOfAnotherShape() {
    AttentionShape shape = new AttentionShape(2, 3, 4);
    try (Workers workers = new Workers(1);
        LinearAttention attention =
            Kernels.linear(
                KernelChoice.CPU, Precision.FLOAT, shape, new double[2], CHUNK, workers);
        Arena arena = new Arena("test", Precision.FLOAT)) {
      assertThatThrownBy(
              () ->
                  attention.summarize(
                      LinearTensors.of(arena.matrix(5, 6), arena.matrix(5, 6), arena.matrix(5, 6)),
                      Documents.one(5, 0),
                      arena.matrix(6, 4),
                      arena.matrix(6, 1)))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageContaining("v is FLOAT[5, 6], not FLOAT[5, 8]");
    }
  }

  static int[] numbers(String words) {
    return Arrays.stream(words.split(" ")).mapToInt(Integer::parseInt).toArray();
  }

  /** In both precisions. */
  static void assertEqualsRecurrence(AttentionCase problem, int threads, int chunk, int... cuts) {
    AttentionResult expected = AttentionRecurrence.of(problem);
    for (Precision precision : Precision.values()) {
      AttentionRanks.of(problem, precision, chunk)
          .withThreads(threads)
          .run(cuts)
          .assertEquals(
              expected,
              Tolerance.of(problem.rule(), precision),
              problem.rule() + " in " + precision + ", cut at " + Arrays.toString(cuts) + ":",
              problem.documents().tokens(),
              cuts);
    }
  }
}
