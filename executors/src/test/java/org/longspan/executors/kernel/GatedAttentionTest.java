package org.longspan.executors.kernel;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.EnumSet;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.longspan.executors.kernel.AttentionCase.Input;
import org.longspan.executors.kernel.AttentionResult.Part;
import org.longspan.executors.layer.LinearRule;
import org.longspan.executors.memory.Arena;
import org.longspan.executors.memory.Precision;

/** What holds of gates beside what {@link LinearAttentionTest} shows of every rule. */
class GatedAttentionTest {
  private static final double DOUBLE_BOUND = 1e-12;
  private static final double GATE_BOUND = 5e-6;
  private static final int CHUNK = 64;

  @ParameterizedTest
  @EnumSource(names = {"SCALAR_GATE", "VECTOR_GATE"})
  void shouldEqualTheRecurrenceUnderTheSameGateThroughout(LinearRule rule) {
    AttentionShape shape = new AttentionShape(2, 8, 6);
    AttentionCase problem = AttentionCase.random(4, rule, shape, 1, Documents.one(1000, 3));
    for (double gate : new double[] {-20, -1, -1e-3, -1e-5}) {
      LinearAttentionTest.assertEqualsRecurrence(
          problem.mapped(Input.GATES, any -> gate), 2, CHUNK);
    }
  }

  @ParameterizedTest
  @EnumSource(names = {"SCALAR_GATE", "VECTOR_GATE"})
  void shouldEqualTheRecurrenceWhereAFewGatesAreStrong(LinearRule rule) {
    AttentionShape shape = new AttentionShape(2, 8, 6);
    AttentionCase problem = AttentionCase.random(5, rule, shape, 1, Documents.one(700, 3));
    Random random = new Random(6);
    LinearAttentionTest.assertEqualsRecurrence(
        problem.mapped(
            Input.GATES, gate -> random.nextInt(40) == 0 ? -500 * random.nextDouble() : gate / 16),
        2,
        CHUNK);
  }

  @ParameterizedTest
  @EnumSource(names = {"SCALAR_GATE", "VECTOR_GATE"})
  void shouldGiveAnExactZeroWhereNothingPasses(LinearRule rule) {
    AttentionShape shape = new AttentionShape(2, 5, 3);
    int[] starts = {0, 7, 16, 40, 64, 99};
    AttentionCase problem =
        AttentionCase.random(7, rule, shape, 0.1, new Documents(110, starts, 0));
    AttentionResult result =
        AttentionRanks.of(problem, Precision.FLOAT, CHUNK).withThreads(2).run();
    int columns = problem.gateColumns();
    for (int start : starts) {
      for (int column = 0; column < columns; column++) {
        assertThat(result.get(Part.DGATES)[start * columns + column]).isZero();
      }
    }
  }

  @Test
  void shouldGiveTheSameWithOneGateAHeadAndItsCopies() {
    AttentionShape shape = new AttentionShape(2, 16, 8);
    AttentionCase problem =
        AttentionCase.random(14, LinearRule.SCALAR_GATE, shape, 0.3, Documents.one(200, 5));
    AttentionResult one = AttentionRanks.of(problem, Precision.DOUBLE, CHUNK).run(90);
    AttentionResult copies = AttentionRanks.of(problem.widened(), Precision.DOUBLE, CHUNK).run(90);
    for (Part part : EnumSet.complementOf(EnumSet.of(Part.DGATES))) {
      assertThat(RankwiseError.distance(copies.get(part), one.get(part)))
          .as(part.name())
          .isLessThan(DOUBLE_BOUND);
    }
    double[] sums = new double[one.get(Part.DGATES).length];
    for (int i = 0; i < copies.get(Part.DGATES).length; i++) {
      sums[i / shape.keyWidth()] += copies.get(Part.DGATES)[i];
    }
    assertThat(RankwiseError.distance(sums, one.get(Part.DGATES))).isLessThan(DOUBLE_BOUND);
  }

  /** {@code rowsum(S ⊙ dS)} at a chunk's end is the gradient of the next chunk's first gate. */
  @ParameterizedTest
  @EnumSource(names = {"SCALAR_GATE", "VECTOR_GATE"})
  void shouldNoticeWhatPassesAChunkMissingFromTheGates(LinearRule rule) {
    AttentionShape shape = new AttentionShape(2, 8, 8);
    for (double strength : new double[] {1, 1.0 / 16, 1.0 / 256}) {
      AttentionCase problem =
          AttentionCase.random(17, rule, shape, strength, Documents.one(256, 3));
      AttentionResult result = AttentionRanks.of(problem, Precision.FLOAT, CHUNK).run();
      double[] right = AttentionRecurrence.of(problem).get(Part.DGATES);
      double[] wrong = right.clone();
      int columns = problem.gateColumns();
      for (int t = 0; t < 256 - CHUNK; t++) {
        int next = (t / CHUNK + 1) * CHUNK;
        for (int column = 0; column < columns; column++) {
          wrong[t * columns + column] -= right[next * columns + column];
        }
      }
      assertThat(RankwiseError.distance(result.get(Part.DGATES), wrong))
          .isGreaterThan(100 * GATE_BOUND);
    }
  }

  @Test
  void shouldRefuseMatricesOfAnotherShape() {
    AttentionShape shape = new AttentionShape(2, 3, 4);
    try (Workers workers = new Workers(1);
        LinearAttention attention =
            Kernels.gated(Precision.FLOAT, shape, GateWidth.SCALAR, CHUNK, workers);
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
}
