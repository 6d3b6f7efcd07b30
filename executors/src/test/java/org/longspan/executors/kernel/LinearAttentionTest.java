package org.longspan.executors.kernel;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.longspan.executors.kernel.LinearCase.Input;
import org.longspan.executors.memory.Arena;
import org.longspan.executors.memory.Precision;

class LinearAttentionTest {
  private static final double DOUBLE_BOUND = 1e-12;
  private static final double FLOAT_BOUND = 1e-6;
  private static final double MUTATION_BOUND = 1e-5;
  private static final int CHUNK = 64;

  @ParameterizedTest
  @CsvSource({"1,1", "3,5", "5,3", "64,64", "65,64", "64,65", "17,1"})
  void shouldEqualTheRecurrenceAtAnyWidth(int keyWidth, int valueWidth) {
    AttentionShape shape = new AttentionShape(3, keyWidth, valueWidth);
    LinearCase problem =
        LinearCase.random(1, shape, LinearCase.slopes(3, 1), Documents.one(150, 7));
    assertEqualsRecurrence(problem, 2, CHUNK);
  }

  @ParameterizedTest
  @ValueSource(ints = {0, 1, 2, 63, 64, 65, 127, 128, 200, 1100})
  void shouldEqualTheRecurrenceAtAnyLength(int tokens) {
    AttentionShape shape = new AttentionShape(2, 9, 4);
    LinearCase problem =
        LinearCase.random(2, shape, LinearCase.slopes(2, 1), Documents.one(tokens, 1));
    assertEqualsRecurrence(problem, 2, CHUNK);
    assertEqualsRecurrence(problem, 3, CHUNK);
  }

  @ParameterizedTest
  @ValueSource(doubles = {0.001, 0.1, 1, 16, 256, 1e9})
  void shouldEqualTheRecurrenceUnderStrongAndWeakDecay(double weakness) {
    AttentionShape shape = new AttentionShape(4, 8, 6);
    LinearCase problem =
        LinearCase.random(3, shape, LinearCase.slopes(4, weakness), Documents.one(700, 3));
    assertEqualsRecurrence(problem, 2, CHUNK);
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
      LinearCase problem = LinearCase.random(4, shape, LinearCase.slopes(3, weakness), documents);
      assertEqualsRecurrence(problem, 2, CHUNK);
    }
  }

  @ParameterizedTest
  @CsvSource({"4,1", "7,2", "16,3", "100,2"})
  void shouldEqualTheRecurrenceAtAnyChunkAndThreads(int chunk, int threads) {
    AttentionShape shape = new AttentionShape(4, 6, 7);
    Documents documents = new Documents(300, new int[] {33, 64, 209}, 5);
    LinearCase problem = LinearCase.random(5, shape, LinearCase.slopes(4, 16), documents);
    assertEqualsRecurrence(problem, threads, chunk);
  }

  @ParameterizedTest
  @ValueSource(doubles = {1, 16, 256})
  void shouldEqualOneSliceWhenCutOverRanks(double weakness) {
    AttentionShape shape = new AttentionShape(2, 8, 5);
    Documents documents = new Documents(300, new int[] {0, 40, 64, 210, 290}, 0);
    LinearCase problem = LinearCase.random(6, shape, LinearCase.slopes(2, weakness), documents);
    LinearResult expected = LinearRecurrence.of(problem);
    int[][] cuts = {{150}, {40}, {64, 128, 192, 256}, {1, 2, 3, 220}, {100, 100, 100, 300}};
    for (int[] cut : cuts) {
      String name = "cut at " + Arrays.toString(cut);
      run(problem, Precision.DOUBLE, 2, CHUNK, cut).assertEquals(expected, DOUBLE_BOUND, name);
      run(problem, Precision.FLOAT, 2, CHUNK, cut).assertEquals(expected, FLOAT_BOUND, name);
    }
  }

  @Test
  void shouldGiveTheSameBitsOnAnyNumberOfThreads() {
    AttentionShape shape = new AttentionShape(3, 16, 24);
    Documents documents = new Documents(1500, new int[] {777}, 9);
    LinearCase problem = LinearCase.random(7, shape, LinearCase.slopes(3, 16), documents);
    LinearResult one = run(problem, Precision.FLOAT, 1, CHUNK);
    LinearResult two = run(problem, Precision.FLOAT, 2, CHUNK);
    assertThat(two.o()).isEqualTo(one.o());
    assertThat(two.finalState()).isEqualTo(one.finalState());
    assertThat(two.dq()).isEqualTo(one.dq());
    assertThat(two.dk()).isEqualTo(one.dk());
    assertThat(two.dv()).isEqualTo(one.dv());
    assertThat(two.incomingGradient()).isEqualTo(one.incomingGradient());
  }

  @Test
  void shouldAgreeWithFiniteDifferences() {
    AttentionShape shape = new AttentionShape(2, 3, 2);
    Documents documents = new Documents(9, new int[] {6}, 4);
    LinearCase problem = LinearCase.random(8, shape, LinearCase.slopes(2, 4), documents);
    LinearResult result = run(problem, Precision.DOUBLE, 1, 4);
    assertDifferences(problem, Input.Q, result.dq());
    assertDifferences(problem, Input.K, result.dk());
    assertDifferences(problem, Input.V, result.dv());
    assertDifferences(problem, Input.INCOMING, result.incomingGradient());
  }

  @Test
  void shouldNoticeMistakes() {
    AttentionShape shape = new AttentionShape(2, 8, 8);
    double[] slopes = LinearCase.slopes(2, 256);
    LinearCase problem = LinearCase.random(9, shape, slopes, Documents.one(256, 3));
    LinearResult result = run(problem, Precision.FLOAT, 1, CHUNK);
    int states = problem.get(Input.INCOMING).length;
    assertDiffers(result, problem.with(Input.INCOMING, new double[states]));
    assertDiffers(result, problem.with(Input.FINAL_GRADIENT, new double[states]));
    assertDiffers(
        result, problem.withSlopes(Arrays.stream(slopes).map(slope -> slope * 1.01).toArray()));
    double[] late = problem.get(Input.INCOMING).clone();
    for (int i = 0; i < states; i++) {
      late[i] *= Math.exp(-slopes[i / (states / 2)]);
    }
    assertDiffers(result, problem.with(Input.INCOMING, late));
    int chunk = CHUNK * shape.keyColumns();
    double[] swapped = problem.get(Input.K).clone();
    System.arraycopy(problem.get(Input.K), 0, swapped, chunk, chunk);
    System.arraycopy(problem.get(Input.K), chunk, swapped, 0, chunk);
    assertDiffers(result, problem.with(Input.K, swapped));
    LinearCase cut = problem.withDocuments(new Documents(256, new int[] {128}, 3));
    assertDiffers(result, cut);
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

  private static void assertDiffers(LinearResult result, LinearCase other) {
    LinearResult wrong = LinearRecurrence.of(other);
    assertThatThrownBy(() -> result.assertEquals(wrong, MUTATION_BOUND, "mutation"))
        .isInstanceOf(AssertionError.class);
  }

  private static void assertDifferences(LinearCase problem, Input part, double[] gradient) {
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
    assertThat(LinearResult.distance(gradient, estimates)).isLessThan(1e-6);
  }

  /** ⟨o, its gradient⟩ + ⟨final state, its gradient⟩. */
  private static double loss(LinearCase problem) {
    LinearResult result = run(problem, Precision.DOUBLE, 1, 4);
    double loss = 0;
    for (int i = 0; i < result.o().length; i++) {
      loss += result.o()[i] * problem.get(Input.OUTPUT_GRADIENT)[i];
    }
    for (int i = 0; i < result.finalState().length; i++) {
      loss += result.finalState()[i] * problem.get(Input.FINAL_GRADIENT)[i];
    }
    return loss;
  }

  private static void assertEqualsRecurrence(LinearCase problem, int threads, int chunk) {
    LinearResult expected = LinearRecurrence.of(problem);
    run(problem, Precision.DOUBLE, threads, chunk).assertEquals(expected, DOUBLE_BOUND, "double");
    run(problem, Precision.FLOAT, threads, chunk).assertEquals(expected, FLOAT_BOUND, "float");
  }

  private static LinearResult run(
      LinearCase problem, Precision precision, int threads, int chunk, int... cuts) {
    try (Workers workers = new Workers(threads);
        LinearAttention attention =
            Kernels.linear(
                KernelChoice.CPU, precision, problem.shape(), problem.slopes(), chunk, workers)) {
      return new LinearRanks(problem, attention, precision).run(cuts);
    }
  }
}
