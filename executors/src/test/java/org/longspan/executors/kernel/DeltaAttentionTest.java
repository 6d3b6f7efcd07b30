package org.longspan.executors.kernel;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.Arrays;
import java.util.EnumSet;
import java.util.Set;
import java.util.stream.IntStream;
import org.assertj.core.api.AbstractThrowableAssert;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.longspan.executors.kernel.DeltaCase.Input;
import org.longspan.executors.kernel.DeltaResult.Part;
import org.longspan.executors.memory.Arena;
import org.longspan.executors.memory.Matrix;
import org.longspan.executors.memory.Precision;

class DeltaAttentionTest {
  private static final double DOUBLE_BOUND = 1e-12;
  private static final double FLOAT_BOUND = 3e-6;
  private static final double FLOAT_GATE_BOUND = 5e-6;
  private static final double DIFFERENCE_BOUND = 1e-6;
  private static final int CHUNK = 64;

  @ParameterizedTest
  @CsvSource({"1,1", "3,5", "5,3", "64,64", "65,64", "64,65", "17,1", "8,40"})
  void shouldEqualTheRecurrenceAtAnyWidth(int keyWidth, int valueWidth) {
    AttentionShape shape = new AttentionShape(3, keyWidth, valueWidth);
    assertEqualsRecurrence(DeltaCase.random(1, shape, 16, Documents.one(150, 7)), 2, CHUNK);
  }

  @ParameterizedTest
  @ValueSource(ints = {0, 1, 2, 63, 64, 65, 127, 128, 200, 1100})
  void shouldEqualTheRecurrenceAtAnyLength(int tokens) {
    AttentionShape shape = new AttentionShape(2, 9, 4);
    DeltaCase problem = DeltaCase.random(2, shape, 16, Documents.one(tokens, 1));
    assertEqualsRecurrence(problem, 2, CHUNK);
    assertEqualsRecurrence(problem, 3, CHUNK);
  }

  @ParameterizedTest
  @ValueSource(doubles = {0.001, 0.01, 0.1, 1, 16, 256, 1e9})
  void shouldEqualTheRecurrenceUnderStrongAndWeakGates(double weakness) {
    AttentionShape shape = new AttentionShape(4, 8, 6);
    DeltaCase problem = DeltaCase.random(3, shape, weakness, Documents.one(1200, 3));
    assertEqualsRecurrence(problem, 2, CHUNK);
    assertEqualsRecurrence(problem, 3, CHUNK, 500);
  }

  @ParameterizedTest
  @ValueSource(doubles = {0, 1e-30, 1, 1.5, 1.999})
  void shouldEqualTheRecurrenceAtEveryBeta(double beta) {
    AttentionShape shape = new AttentionShape(2, 16, 12);
    DeltaCase problem = DeltaCase.random(4, shape, 64, Documents.one(300, 3));
    assertEqualsRecurrence(problem.filled(Input.BETA, beta), 2, CHUNK);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "0",
        "0 1",
        "0 1 2 3",
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
    int[] offsets = Arrays.stream(starts.split(" ")).mapToInt(Integer::parseInt).toArray();
    AttentionShape shape = new AttentionShape(3, 5, 8);
    for (double weakness : new double[] {1, 256}) {
      Documents documents = new Documents(200, offsets, offsets[0] == 0 ? 0 : 20);
      DeltaCase problem = DeltaCase.random(5, shape, weakness, documents);
      assertEqualsRecurrence(problem, 2, CHUNK);
      assertEqualsRecurrence(problem, 3, CHUNK);
    }
  }

  @Test
  void shouldStopAtHundredsOfBoundaries() {
    int[] starts = IntStream.range(0, 400).map(i -> 3 * i + i % 2).toArray();
    AttentionShape shape = new AttentionShape(2, 6, 5);
    DeltaCase problem = DeltaCase.random(6, shape, 16, new Documents(1300, starts, 0));
    assertEqualsRecurrence(problem, 2, CHUNK);
    assertEqualsRecurrence(problem, 3, CHUNK, 301, 650, 1100);
  }

  @ParameterizedTest
  @CsvSource({"1,2", "4,1", "7,2", "16,3", "64,5", "100,2"})
  void shouldEqualTheRecurrenceAtAnyChunkAndThreads(int chunk, int threads) {
    AttentionShape shape = new AttentionShape(4, 6, 37);
    Documents documents = new Documents(300, new int[] {33, 64, 209}, 5);
    assertEqualsRecurrence(DeltaCase.random(7, shape, 16, documents), threads, chunk);
  }

  @ParameterizedTest
  @CsvSource({"1,2", "16,3", "256,4", "16,7", "256,16"})
  void shouldEqualOneSliceWhenCutOverRanks(double weakness, int ranks) {
    AttentionShape shape = new AttentionShape(2, 8, 5);
    DeltaCase problem = DeltaCase.random(8, shape, weakness, Documents.one(530, 9));
    int[] even = IntStream.range(1, ranks).map(rank -> rank * 530 / ranks).toArray();
    assertEqualsRecurrence(problem, 2, CHUNK, even);
    assertEqualsRecurrence(problem, 3, CHUNK, even);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "150",
        "40",
        "40 64 210",
        "64 128 192 256",
        "80 120 160 200",
        "1 2 3 220",
        "0 0 150 150",
        "100 100 100 300",
        "300 300"
      })
  void shouldEqualOneSliceWhenDocumentsAreCutOverRanks(String cuts) {
    int[] offsets = Arrays.stream(cuts.split(" ")).mapToInt(Integer::parseInt).toArray();
    AttentionShape shape = new AttentionShape(2, 8, 5);
    Documents documents = new Documents(300, new int[] {0, 40, 64, 210, 290}, 0);
    for (double weakness : new double[] {1, 16, 256}) {
      DeltaCase problem = DeltaCase.random(9, shape, weakness, documents);
      assertEqualsRecurrence(problem, 2, CHUNK, offsets);
    }
  }

  @Test
  void shouldEqualTheRecurrenceForKeysOfAnyNorm() {
    AttentionShape shape = new AttentionShape(2, 7, 6);
    DeltaCase problem =
        DeltaCase.random(10, shape, 16, Documents.one(200, 3))
            .scaled(Input.K, 1.3)
            .scaled(Input.Q, 0.4);
    assertEqualsRecurrence(problem, 2, CHUNK, 70);
  }

  @ParameterizedTest
  @ValueSource(doubles = {0.05, 1, 16})
  void shouldGiveTheSameBitsOnAnyNumberOfThreads(double weakness) {
    AttentionShape shape = new AttentionShape(3, 16, 56);
    Documents documents = new Documents(1500, new int[] {777}, 9);
    DeltaCase problem = DeltaCase.random(11, shape, weakness, documents);
    DeltaResult one = run(problem, Precision.FLOAT, 1, CHUNK, 500);
    for (int threads = 2; threads <= 5; threads++) {
      DeltaResult more = run(problem, Precision.FLOAT, threads, CHUNK, 500);
      for (Part part : Part.values()) {
        assertThat(more.get(part)).as("%s, %s threads", part, threads).isEqualTo(one.get(part));
      }
    }
  }

  @Test
  void shouldAgreeWithFiniteDifferences() {
    AttentionShape shape = new AttentionShape(2, 3, 2);
    Documents documents = new Documents(11, new int[] {6}, 4);
    assertFiniteDifferences(DeltaCase.random(12, shape, 4, documents));
    assertFiniteDifferences(
        DeltaCase.random(13, shape, 4, Documents.one(11, 2)).scaled(Input.K, 0.7));
    assertFiniteDifferences(
        DeltaCase.random(14, shape, 4, Documents.one(11, 2)).filled(Input.BETA, 0));
  }

  private static void assertFiniteDifferences(DeltaCase problem) {
    DeltaResult result = run(problem, Precision.DOUBLE, 1, 4, 5);
    assertDifferences(problem, Input.Q, result.get(Part.DQ));
    assertDifferences(problem, Input.K, result.get(Part.DK));
    assertDifferences(problem, Input.V, result.get(Part.DV));
    assertDifferences(problem, Input.GATES, result.get(Part.DGATES));
    assertDifferences(problem, Input.BETA, result.get(Part.DBETA));
    assertDifferences(problem, Input.INCOMING, result.get(Part.INCOMING_GRADIENT));
  }

  @Test
  void shouldIgnoreTheFirstGateOfADocument() {
    AttentionShape shape = new AttentionShape(2, 8, 8);
    int[] starts = {0, 64, 130};
    DeltaCase problem = DeltaCase.random(15, shape, 16, new Documents(200, starts, 0));
    double[] gates = problem.get(Input.GATES).clone();
    for (int start : starts) {
      Arrays.fill(gates, 2 * start, 2 * start + 2, Double.NaN);
    }
    DeltaResult result = run(problem, Precision.FLOAT, 2, CHUNK, 100);
    DeltaResult other = run(problem.with(Input.GATES, gates), Precision.FLOAT, 2, CHUNK, 100);
    for (Part part : Part.values()) {
      assertThat(other.get(part)).as(part.name()).isEqualTo(result.get(part));
    }
    for (int start : starts) {
      assertThat(result.get(Part.DGATES)[2 * start]).isZero();
      assertThat(result.get(Part.DGATES)[2 * start + 1]).isZero();
    }
  }

  @Test
  void shouldNoticeMistakes() {
    AttentionShape shape = new AttentionShape(2, 8, 8);
    DeltaCase problem = DeltaCase.random(16, shape, 256, Documents.one(256, 3));
    DeltaResult result = run(problem, Precision.FLOAT, 1, CHUNK);
    Set<Part> all = EnumSet.allOf(Part.class);
    assertSees(
        result,
        problem.filled(Input.INCOMING, 0),
        EnumSet.complementOf(EnumSet.of(Part.DV, Part.INCOMING_GRADIENT)));
    assertSees(
        result,
        problem.filled(Input.FINAL_GRADIENT, 0),
        EnumSet.complementOf(EnumSet.of(Part.O, Part.FINAL_STATE, Part.DQ)));
    assertSees(result, problem.with(Input.GATES, late(problem)), all);
    assertSees(result, problem.with(Input.K, swapped(problem)), all);
    Documents cut = new Documents(256, new int[] {128}, 3);
    assertSees(result, problem.withDocuments(cut), all);
    assertThat(LinearResult.distance(withinChunks(problem), result.get(Part.DGATES)))
        .isGreaterThan(2 * FLOAT_GATE_BOUND);
  }

  private static void assertSees(DeltaResult result, DeltaCase mistaken, Set<Part> parts) {
    DeltaResult wrong = DeltaRecurrence.of(mistaken);
    for (Part part : parts) {
      assertThat(LinearResult.distance(result.get(part), wrong.get(part)))
          .as(part.name())
          .isGreaterThan(2 * FLOAT_GATE_BOUND);
    }
  }

  /** The gates of the token before: a decay that is one token off. */
  private static double[] late(DeltaCase problem) {
    int heads = problem.shape().heads();
    double[] gates = problem.get(Input.GATES);
    double[] late = gates.clone();
    System.arraycopy(gates, 0, late, heads, gates.length - heads);
    return late;
  }

  /** The keys with the first two chunks exchanged. */
  private static double[] swapped(DeltaCase problem) {
    int chunk = CHUNK * problem.shape().keyColumns();
    double[] keys = problem.get(Input.K);
    double[] swapped = keys.clone();
    System.arraycopy(keys, 0, swapped, chunk, chunk);
    System.arraycopy(keys, chunk, swapped, 0, chunk);
    return swapped;
  }

  /** The gates' gradient without ⟨S, dS⟩ after each chunk. */
  private static double[] withinChunks(DeltaCase problem) {
    AttentionShape shape = problem.shape();
    DeltaResult result = DeltaRecurrence.of(problem);
    double[] gates = new double[problem.get(Input.GATES).length];
    for (int i = gates.length - 1; i >= 0; i--) {
      int next = i + shape.heads();
      boolean isLast = next >= gates.length || next / shape.heads() % CHUNK == 0;
      gates[i] =
          (isLast ? 0 : gates[next])
              + dot(problem.get(Input.Q), result.get(Part.DQ), i, shape.keyWidth())
              - dot(problem.get(Input.V), result.get(Part.DV), i, shape.valueWidth());
    }
    return gates;
  }

  /** The inner product of one token and head, which lie behind each other. */
  private static double dot(double[] a, double[] b, int row, int width) {
    double sum = 0;
    for (int i = row * width; i < (row + 1) * width; i++) {
      sum += a[i] * b[i];
    }
    return sum;
  }

  @Test
  void shouldRefuseMatricesOfAnotherShape() {
    AttentionShape shape = new AttentionShape(2, 3, 4);
    try (Workers workers = new Workers(1);
        LinearAttention attention = Kernels.delta(Precision.FLOAT, shape, CHUNK, workers);
        Arena arena = new Arena("test", Precision.FLOAT)) {
      Matrix keys = arena.matrix(5, 6);
      Matrix values = arena.matrix(5, 8);
      Matrix heads = arena.matrix(5, 2);
      assertThat(attention.transitionColumns()).isEqualTo(3);
      assertRefuses(attention, new LinearTensors(keys, keys, keys, heads, heads), arena)
          .hasMessageContaining("v is FLOAT[5, 6], not FLOAT[5, 8]");
      assertRefuses(attention, new LinearTensors(keys, keys, values, keys, heads), arena)
          .hasMessageContaining("gates is FLOAT[5, 6], not FLOAT[5, 2]");
      assertRefuses(attention, new LinearTensors(keys, keys, values, heads, null), arena)
          .hasMessageContaining("The delta rule needs beta");
    }
  }

  private static AbstractThrowableAssert<?, ?> assertRefuses(
      LinearAttention attention, LinearTensors inputs, Arena arena) {
    Matrix o = arena.matrix(5, 8);
    return assertThatThrownBy(() -> attention.forward(inputs, Documents.one(5, 0), o))
        .isInstanceOf(IllegalArgumentException.class);
  }

  private static void assertDifferences(DeltaCase problem, Input part, double[] gradient) {
    double[] input = problem.get(part);
    double step = 1e-5;
    double[] estimates = new double[input.length];
    for (int i = 0; i < input.length; i++) {
      double[] moved = input.clone();
      moved[i] = input[i] + step;
      double above = loss(problem.with(part, moved));
      moved[i] = input[i] - step;
      estimates[i] = (above - loss(problem.with(part, moved))) / (2 * step);
    }
    assertThat(LinearResult.distance(gradient, estimates))
        .as(part.name())
        .isLessThan(DIFFERENCE_BOUND);
  }

  /** ⟨o, its gradient⟩ + ⟨final state, its gradient⟩. */
  private static double loss(DeltaCase problem) {
    DeltaResult result = run(problem, Precision.DOUBLE, 1, 4, 5);
    return inner(result.get(Part.O), problem.get(Input.OUTPUT_GRADIENT))
        + inner(result.get(Part.FINAL_STATE), problem.get(Input.FINAL_GRADIENT));
  }

  private static double inner(double[] a, double[] b) {
    return IntStream.range(0, a.length).mapToDouble(i -> a[i] * b[i]).sum();
  }

  private static void assertEqualsRecurrence(
      DeltaCase problem, int threads, int chunk, int... cuts) {
    DeltaResult expected = DeltaRecurrence.of(problem);
    run(problem, Precision.DOUBLE, threads, chunk, cuts)
        .assertEquals(expected, DOUBLE_BOUND, DOUBLE_BOUND, "double");
    run(problem, Precision.FLOAT, threads, chunk, cuts)
        .assertEquals(expected, FLOAT_BOUND, FLOAT_GATE_BOUND, "float");
  }

  private static DeltaResult run(
      DeltaCase problem, Precision precision, int threads, int chunk, int... cuts) {
    try (Workers workers = new Workers(threads);
        LinearAttention attention = Kernels.delta(precision, problem.shape(), chunk, workers)) {
      return new DeltaRanks(problem, attention, precision).run(cuts);
    }
  }
}
