package org.longspan.executors.kernel;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.Arrays;
import java.util.EnumSet;
import java.util.Set;
import org.assertj.core.api.AbstractThrowableAssert;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.longspan.executors.kernel.AttentionCase.Input;
import org.longspan.executors.kernel.AttentionResult.Part;
import org.longspan.executors.layer.LinearRule;
import org.longspan.executors.memory.Arena;
import org.longspan.executors.memory.Matrix;
import org.longspan.executors.memory.Precision;

/** What holds of the delta rule beside what {@link LinearAttentionTest} shows of every rule. */
class DeltaAttentionTest {
  private static final double FLOAT_GATE_BOUND = 5e-6;
  private static final int CHUNK = 64;

  private static AttentionCase random(
      long seed, AttentionShape shape, double weakness, Documents documents) {
    return AttentionCase.random(seed, LinearRule.DELTA, shape, 1 / weakness, documents);
  }

  @ParameterizedTest
  @ValueSource(doubles = {0, 1e-30, 1, 1.5, 1.999})
  void shouldEqualTheRecurrenceAtEveryBeta(double beta) {
    AttentionShape shape = new AttentionShape(2, 16, 12);
    AttentionCase problem = random(4, shape, 64, Documents.one(300, 3));
    LinearAttentionTest.assertEqualsRecurrence(problem.mapped(Input.BETA, any -> beta), 2, CHUNK);
  }

  @Test
  void shouldEqualTheRecurrenceForKeysOfAnyNorm() {
    AttentionShape shape = new AttentionShape(2, 7, 6);
    AttentionCase problem =
        random(10, shape, 16, Documents.one(200, 3))
            .mapped(Input.K, number -> 1.3 * number)
            .mapped(Input.Q, number -> 0.4 * number);
    LinearAttentionTest.assertEqualsRecurrence(problem, 2, CHUNK, 70);
  }

  @Test
  void shouldAgreeWithFiniteDifferences() {
    AttentionShape shape = new AttentionShape(2, 3, 2);
    Documents documents = new Documents(11, new int[] {6}, 4);
    LinearAttentionTest.assertFiniteDifferences(random(12, shape, 4, documents));
    LinearAttentionTest.assertFiniteDifferences(
        random(13, shape, 4, Documents.one(11, 2)).mapped(Input.K, number -> 0.7 * number));
    LinearAttentionTest.assertFiniteDifferences(
        random(14, shape, 4, Documents.one(11, 2)).mapped(Input.BETA, any -> 0));
  }

  @Test
  void shouldIgnoreTheFirstGateOfADocument() {
    AttentionShape shape = new AttentionShape(2, 8, 8);
    int[] starts = {0, 64, 130};
    AttentionCase problem = random(15, shape, 16, new Documents(200, starts, 0));
    double[] gates = problem.get(Input.GATES).clone();
    for (int start : starts) {
      Arrays.fill(gates, 2 * start, 2 * start + 2, Double.NaN);
    }
    AttentionResult result = AttentionRanks.of(problem, Precision.FLOAT, CHUNK).run(100);
    AttentionResult other =
        AttentionRanks.of(problem.with(Input.GATES, gates), Precision.FLOAT, CHUNK).run(100);
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
    AttentionCase problem = random(16, shape, 256, Documents.one(256, 3));
    AttentionResult result = AttentionRanks.of(problem, Precision.FLOAT, CHUNK).run();
    Set<Part> all = EnumSet.allOf(Part.class);
    assertSees(
        result,
        problem.mapped(Input.INCOMING, any -> 0),
        EnumSet.complementOf(EnumSet.of(Part.DV, Part.INCOMING_GRADIENT)));
    assertSees(
        result,
        problem.mapped(Input.FINAL_GRADIENT, any -> 0),
        EnumSet.complementOf(EnumSet.of(Part.O, Part.FINAL_STATE, Part.DQ)));
    assertSees(result, problem.with(Input.GATES, late(problem)), all);
    assertSees(result, problem.with(Input.K, swapped(problem)), all);
    Documents cut = new Documents(256, new int[] {128}, 3);
    assertSees(result, problem.withDocuments(cut), all);
    assertThat(RankwiseError.distance(withinChunks(problem), result.get(Part.DGATES)))
        .isGreaterThan(2 * FLOAT_GATE_BOUND);
  }

  private static void assertSees(AttentionResult result, AttentionCase mistaken, Set<Part> parts) {
    AttentionResult wrong = AttentionRecurrence.of(mistaken);
    for (Part part : parts) {
      assertThat(RankwiseError.distance(result.get(part), wrong.get(part)))
          .as(part.name())
          .isGreaterThan(2 * FLOAT_GATE_BOUND);
    }
  }

  /** The gates of the token before: a decay that is one token off. */
  private static double[] late(AttentionCase problem) {
    int heads = problem.shape().heads();
    double[] gates = problem.get(Input.GATES);
    double[] late = gates.clone();
    System.arraycopy(gates, 0, late, heads, gates.length - heads);
    return late;
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

  /** The gates' gradient without ⟨S, dS⟩ after each chunk. */
  private static double[] withinChunks(AttentionCase problem) {
    AttentionShape shape = problem.shape();
    AttentionResult result = AttentionRecurrence.of(problem);
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
        LinearAttention attention =
            Kernels.delta(KernelChoice.CPU, Precision.FLOAT, shape, CHUNK, workers);
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
}
