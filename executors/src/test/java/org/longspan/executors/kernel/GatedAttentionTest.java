package org.longspan.executors.kernel;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.Arrays;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.longspan.executors.kernel.LinearCase.Input;
import org.longspan.executors.memory.Arena;
import org.longspan.executors.memory.Precision;

class GatedAttentionTest {
  private static final double DOUBLE_BOUND = 1e-12;
  private static final double FLOAT_BOUND = 1e-6;
  private static final double GATE_BOUND = 5e-6;
  private static final double MUTATION_BOUND = 1e-5;
  private static final double STEP = 1e-5;
  private static final int CHUNK = 64;

  @ParameterizedTest
  @CsvSource({"1,1", "3,5", "5,3", "64,64", "65,64", "64,65", "17,1", "1,17"})
  void shouldEqualTheRecurrenceAtAnyWidth(int keyWidth, int valueWidth) {
    AttentionShape shape = new AttentionShape(3, keyWidth, valueWidth);
    for (GateWidth gateWidth : GateWidth.values()) {
      GatedCase problem = GatedCase.random(1, shape, gateWidth, 0.2, Documents.one(150, 7));
      assertEqualsRecurrence(problem, 2, CHUNK);
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {0, 1, 2, 15, 16, 17, 63, 64, 65, 127, 128, 200, 256, 257, 1100})
  void shouldEqualTheRecurrenceAtAnyLength(int tokens) {
    AttentionShape shape = new AttentionShape(2, 9, 4);
    for (GateWidth gateWidth : GateWidth.values()) {
      GatedCase problem = GatedCase.random(2, shape, gateWidth, 0.2, Documents.one(tokens, 1));
      assertEqualsRecurrence(problem, 2, CHUNK);
      assertEqualsRecurrence(problem, 3, CHUNK);
    }
  }

  @ParameterizedTest
  @ValueSource(doubles = {0, 1.0 / 256, 1.0 / 16, 1, 16, 40, 1000})
  void shouldEqualTheRecurrenceUnderStrongAndWeakGates(double strength) {
    AttentionShape shape = new AttentionShape(4, 8, 6);
    for (GateWidth gateWidth : GateWidth.values()) {
      GatedCase problem = GatedCase.random(3, shape, gateWidth, strength, Documents.one(700, 3));
      assertEqualsRecurrence(problem, 2, CHUNK);
    }
  }

  @ParameterizedTest
  @EnumSource(GateWidth.class)
  void shouldEqualTheRecurrenceUnderTheSameGateThroughout(GateWidth gateWidth) {
    AttentionShape shape = new AttentionShape(2, 8, 6);
    GatedCase problem = GatedCase.random(4, shape, gateWidth, 1, Documents.one(1000, 3));
    double[] gates = new double[problem.gates().length];
    for (double gate : new double[] {-20, -1, -1e-3, -1e-5}) {
      Arrays.fill(gates, gate);
      assertEqualsRecurrence(problem.withGates(gates), 2, CHUNK);
    }
  }

  @ParameterizedTest
  @EnumSource(GateWidth.class)
  void shouldEqualTheRecurrenceWhereAFewGatesAreStrong(GateWidth gateWidth) {
    AttentionShape shape = new AttentionShape(2, 8, 6);
    GatedCase problem = GatedCase.random(5, shape, gateWidth, 1, Documents.one(700, 3));
    Random random = new Random(6);
    double[] gates = problem.gates().clone();
    for (int i = 0; i < gates.length; i++) {
      gates[i] = random.nextInt(40) == 0 ? -500 * random.nextDouble() : gates[i] / 16;
    }
    assertEqualsRecurrence(problem.withGates(gates), 2, CHUNK);
  }

  @Test
  void shouldGiveAnExactZeroWhereNothingPasses() {
    AttentionShape shape = new AttentionShape(2, 5, 3);
    int[] starts = {0, 7, 16, 40, 64, 99};
    for (GateWidth gateWidth : GateWidth.values()) {
      GatedCase problem = GatedCase.random(7, shape, gateWidth, 0.1, new Documents(110, starts, 0));
      GatedResult result = run(problem, Precision.FLOAT, 2, CHUNK);
      int columns = gateWidth.columns(shape);
      for (int start : starts) {
        for (int column = 0; column < columns; column++) {
          assertThat(result.gates()[start * columns + column]).isZero();
        }
      }
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
    int[] offsets = Arrays.stream(starts.split(" ")).mapToInt(Integer::parseInt).toArray();
    AttentionShape shape = new AttentionShape(3, 5, 8);
    Documents documents = new Documents(200, offsets, offsets[0] == 0 ? 0 : 20);
    for (GateWidth gateWidth : GateWidth.values()) {
      for (double strength : new double[] {1, 1.0 / 256}) {
        GatedCase problem = GatedCase.random(8, shape, gateWidth, strength, documents);
        assertEqualsRecurrence(problem, 2, CHUNK);
      }
    }
  }

  @ParameterizedTest
  @CsvSource({"1,2", "4,1", "7,2", "16,3", "100,2"})
  void shouldEqualTheRecurrenceAtAnyChunkAndThreads(int chunk, int threads) {
    AttentionShape shape = new AttentionShape(4, 6, 7);
    Documents documents = new Documents(300, new int[] {33, 64, 209}, 5);
    for (GateWidth gateWidth : GateWidth.values()) {
      GatedCase problem = GatedCase.random(9, shape, gateWidth, 1.0 / 16, documents);
      assertEqualsRecurrence(problem, threads, chunk);
    }
  }

  @ParameterizedTest
  @CsvSource({
    "VECTOR,1",
    "VECTOR,0.0625",
    "VECTOR,0.00390625",
    "VECTOR,20",
    "SCALAR,1",
    "SCALAR,0.0625",
    "SCALAR,0.00390625",
    "SCALAR,20"
  })
  void shouldEqualOneSliceWhenCutOverRanks(GateWidth gateWidth, double strength) {
    AttentionShape shape = new AttentionShape(2, 8, 5);
    Documents documents = new Documents(300, new int[] {0, 40, 64, 210, 290}, 0);
    GatedCase problem = GatedCase.random(10, shape, gateWidth, strength, documents);
    GatedResult expected = GatedRecurrence.of(problem);
    int[][] cuts = {
      {150},
      {40},
      {100, 200},
      {64, 128, 192},
      {1, 2, 3, 77, 210, 250},
      {100, 100, 100, 300},
      IntStream.rangeClosed(1, 15).map(i -> i * 19).toArray()
    };
    for (int[] cut : cuts) {
      assertEquals(problem, expected, 2, CHUNK, cut);
    }
  }

  @ParameterizedTest
  @EnumSource(GateWidth.class)
  void shouldEqualOneSliceWhenADocumentSpansManyRanks(GateWidth gateWidth) {
    AttentionShape shape = new AttentionShape(1, 6, 4);
    for (double strength : new double[] {1.0 / 16, 1.0 / 256}) {
      Documents documents = new Documents(900, new int[] {120, 800}, 11);
      GatedCase problem = GatedCase.random(11, shape, gateWidth, strength, documents);
      GatedResult expected = GatedRecurrence.of(problem);
      assertEquals(problem, expected, 2, CHUNK, 130, 400, 700, 790);
      assertEquals(problem, expected, 1, CHUNK, 120, 390, 390, 800);
    }
  }

  @ParameterizedTest
  @EnumSource(GateWidth.class)
  void shouldEqualTheRecurrenceWithHundredsOfDocuments(GateWidth gateWidth) {
    AttentionShape shape = new AttentionShape(3, 6, 4);
    int[] starts = IntStream.range(0, 300).map(i -> 3 * i + i % 3).toArray();
    GatedCase problem =
        GatedCase.random(12, shape, gateWidth, 1.0 / 16, new Documents(1000, starts, 0));
    assertEqualsRecurrence(problem, 2, CHUNK);
    assertEquals(problem, GatedRecurrence.of(problem), 2, CHUNK, 333, 334, 700);
  }

  @ParameterizedTest
  @EnumSource(GateWidth.class)
  void shouldGiveTheSameBitsOnAnyNumberOfThreads(GateWidth gateWidth) {
    AttentionShape shape = new AttentionShape(3, 16, 24);
    Documents documents = new Documents(1500, new int[] {777}, 9);
    GatedCase problem = GatedCase.random(13, shape, gateWidth, 1.0 / 16, documents);
    GatedResult one = run(problem, Precision.FLOAT, 1, CHUNK, 1000);
    run(problem, Precision.FLOAT, 2, CHUNK, 1000).assertSame(one);
    run(problem, Precision.FLOAT, 3, CHUNK, 1000).assertSame(one);
    run(problem, Precision.FLOAT, 4, CHUNK, 1000).assertSame(one);
  }

  @Test
  void shouldGiveTheSameWithOneGateAHeadAndItsCopies() {
    AttentionShape shape = new AttentionShape(2, 16, 8);
    GatedCase problem = GatedCase.random(14, shape, GateWidth.SCALAR, 0.3, Documents.one(200, 5));
    GatedResult one = run(problem, Precision.DOUBLE, 1, CHUNK, 90);
    GatedResult copies = run(problem.widened(), Precision.DOUBLE, 1, CHUNK, 90);
    copies.linear().assertEquals(one.linear(), DOUBLE_BOUND, "copies");
    double[] sums = new double[one.gates().length];
    for (int i = 0; i < copies.gates().length; i++) {
      sums[i / shape.keyWidth()] += copies.gates()[i];
    }
    assertThat(LinearResult.distance(sums, one.gates())).isLessThan(DOUBLE_BOUND);
  }

  @ParameterizedTest
  @EnumSource(GateWidth.class)
  void shouldAgreeWithFiniteDifferences(GateWidth gateWidth) {
    AttentionShape shape = new AttentionShape(2, 3, 2);
    for (Documents documents :
        new Documents[] {Documents.one(9, 4), new Documents(9, new int[] {6}, 4)}) {
      GatedCase problem = GatedCase.random(15, shape, gateWidth, 0.5, documents);
      GatedResult result = run(problem, Precision.DOUBLE, 1, 4);
      assertDifferences(problem, Input.Q, result.linear().dq());
      assertDifferences(problem, Input.K, result.linear().dk());
      assertDifferences(problem, Input.V, result.linear().dv());
      assertDifferences(problem, Input.INCOMING, result.linear().incomingGradient());
      assertGateDifferences(problem, result.gates());
    }
  }

  @ParameterizedTest
  @EnumSource(GateWidth.class)
  void shouldNoticeMistakes(GateWidth gateWidth) {
    AttentionShape shape = new AttentionShape(2, 8, 8);
    GatedCase problem = GatedCase.random(16, shape, gateWidth, 1.0 / 256, Documents.one(256, 3));
    GatedResult result = run(problem, Precision.FLOAT, 1, CHUNK);
    result.assertEquals(GatedRecurrence.of(problem), FLOAT_BOUND, GATE_BOUND, "no mistake");
    int states = problem.get(Input.INCOMING).length;
    assertDiffers(result, problem.with(Input.INCOMING, new double[states]));
    assertDiffers(result, problem.with(Input.FINAL_GRADIENT, new double[states]));
    assertDiffers(
        result,
        problem.withGates(Arrays.stream(problem.gates()).map(gate -> gate * 1.01).toArray()));
    double[] late = problem.get(Input.INCOMING).clone();
    Arrays.setAll(late, i -> late[i] * Math.exp(problem.gate(0, i / shape.valueWidth())));
    assertDiffers(result, problem.with(Input.INCOMING, late));
    int columns = gateWidth.columns(shape);
    double[] shifted = problem.gates().clone();
    System.arraycopy(problem.gates(), 0, shifted, columns, shifted.length - columns);
    assertDiffers(result, problem.withGates(shifted));
    int chunk = CHUNK * shape.keyColumns();
    double[] swapped = problem.get(Input.K).clone();
    System.arraycopy(problem.get(Input.K), 0, swapped, chunk, chunk);
    System.arraycopy(problem.get(Input.K), chunk, swapped, 0, chunk);
    assertDiffers(result, problem.with(Input.K, swapped));
    assertDiffers(result, problem.withDocuments(new Documents(256, new int[] {128}, 3)));
  }

  /** {@code rowsum(S ⊙ dS)} at a chunk's end is the gradient of the next chunk's first gate. */
  @ParameterizedTest
  @EnumSource(GateWidth.class)
  void shouldNoticeWhatPassesAChunkMissingFromTheGates(GateWidth gateWidth) {
    AttentionShape shape = new AttentionShape(2, 8, 8);
    int columns = gateWidth.columns(shape);
    for (double strength : new double[] {1, 1.0 / 16, 1.0 / 256}) {
      GatedCase problem = GatedCase.random(17, shape, gateWidth, strength, Documents.one(256, 3));
      GatedResult result = run(problem, Precision.FLOAT, 1, CHUNK);
      GatedResult expected = GatedRecurrence.of(problem);
      double[] wrong = expected.gates().clone();
      for (int t = 0; t < 256 - CHUNK; t++) {
        int next = (t / CHUNK + 1) * CHUNK;
        for (int column = 0; column < columns; column++) {
          wrong[t * columns + column] -= expected.gates()[next * columns + column];
        }
      }
      assertThat(LinearResult.distance(result.gates(), wrong)).isGreaterThan(100 * GATE_BOUND);
    }
  }

  @Test
  void shouldRefuseMatricesOfAnotherShape() {
    AttentionShape shape = new AttentionShape(2, 3, 4);
    try (Workers workers = new Workers(1);
        LinearAttention attention =
            Kernels.gated(
                KernelChoice.CPU, Precision.FLOAT, shape, GateWidth.SCALAR, CHUNK, workers);
        Arena arena = new Arena("test", Precision.FLOAT)) {
      LinearTensors wide =
          new LinearTensors(
              arena.matrix(5, 6), arena.matrix(5, 6), arena.matrix(5, 8), arena.matrix(5, 6), null);
      assertThatThrownBy(() -> attention.forward(wide, Documents.one(5, 0), arena.matrix(5, 8)))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageContaining("gates is FLOAT[5, 6], not FLOAT[5, 2]");
      LinearTensors none = LinearTensors.of(wide.q(), wide.k(), wide.v());
      assertThatThrownBy(() -> attention.forward(none, Documents.one(5, 0), arena.matrix(5, 8)))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessage("An attention with gates needs gates");
    }
  }

  private static void assertDiffers(GatedResult result, GatedCase other) {
    GatedResult wrong = GatedRecurrence.of(other);
    assertThatThrownBy(() -> result.assertEquals(wrong, MUTATION_BOUND, MUTATION_BOUND, "mutation"))
        .isInstanceOf(AssertionError.class);
  }

  private static void assertDifferences(GatedCase problem, Input part, double[] gradient) {
    double[] input = problem.get(part);
    double[] estimates = new double[input.length];
    for (int i = 0; i < input.length; i++) {
      estimates[i] =
          (loss(problem.with(part, moved(input, i, STEP)))
                  - loss(problem.with(part, moved(input, i, -STEP))))
              / (2 * STEP);
    }
    assertThat(LinearResult.distance(gradient, estimates)).isLessThan(1e-6);
  }

  private static void assertGateDifferences(GatedCase problem, double[] gradient) {
    double[] gates = problem.gates();
    double[] estimates = new double[gates.length];
    for (int i = 0; i < gates.length; i++) {
      estimates[i] =
          (loss(problem.withGates(moved(gates, i, STEP)))
                  - loss(problem.withGates(moved(gates, i, -STEP))))
              / (2 * STEP);
    }
    assertThat(LinearResult.distance(gradient, estimates)).isLessThan(1e-6);
  }

  private static double[] moved(double[] numbers, int at, double step) {
    double[] moved = numbers.clone();
    moved[at] += step;
    return moved;
  }

  /** ⟨o, its gradient⟩ + ⟨final state, its gradient⟩. */
  private static double loss(GatedCase problem) {
    LinearResult result = run(problem, Precision.DOUBLE, 1, 4).linear();
    double loss = 0;
    for (int i = 0; i < result.o().length; i++) {
      loss += result.o()[i] * problem.get(Input.OUTPUT_GRADIENT)[i];
    }
    for (int i = 0; i < result.finalState().length; i++) {
      loss += result.finalState()[i] * problem.get(Input.FINAL_GRADIENT)[i];
    }
    return loss;
  }

  private static void assertEqualsRecurrence(GatedCase problem, int threads, int chunk) {
    assertEquals(problem, GatedRecurrence.of(problem), threads, chunk);
  }

  private static void assertEquals(
      GatedCase problem, GatedResult expected, int threads, int chunk, int... cuts) {
    String name = problem.gateWidth() + " gates, cut at " + Arrays.toString(cuts);
    run(problem, Precision.DOUBLE, threads, chunk, cuts)
        .assertEquals(expected, DOUBLE_BOUND, DOUBLE_BOUND, name + ": double");
    run(problem, Precision.FLOAT, threads, chunk, cuts)
        .assertEquals(expected, FLOAT_BOUND, GATE_BOUND, name + ": float");
  }

  private static GatedResult run(
      GatedCase problem, Precision precision, int threads, int chunk, int... cuts) {
    try (Workers workers = new Workers(threads);
        LinearAttention attention =
            Kernels.gated(
                KernelChoice.CPU,
                precision,
                problem.shape(),
                problem.gateWidth(),
                chunk,
                workers)) {
      return new GatedRanks(problem, attention, precision).run(cuts);
    }
  }
}
