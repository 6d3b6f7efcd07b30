package org.longspan.executors.kernel;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.longspan.executors.memory.Arena;
import org.longspan.executors.memory.Matrix;
import org.longspan.executors.memory.Precision;

/** As {@link KernelAllocationTest}, for gates. */
class GatedAllocationTest {
  private static final int TOKENS = 512;

  @ParameterizedTest
  @EnumSource(Precision.class)
  void shouldAllocateNothingForOneGateAHeadOnceWarm(Precision precision) {
    assertBecomesSteady(precision, GateWidth.SCALAR);
  }

  @ParameterizedTest
  @EnumSource(Precision.class)
  void shouldAllocateNothingForAGateAColumnOnceWarm(Precision precision) {
    assertBecomesSteady(precision, GateWidth.VECTOR);
  }

  private static void assertBecomesSteady(Precision precision, GateWidth gateWidth) {
    AttentionShape shape = new AttentionShape(2, 24, 40);
    try (Workers workers = new Workers(1);
        Arena arena = new Arena("test", precision);
        LinearAttention attention =
            Kernels.gated(KernelChoice.CPU, precision, shape, gateWidth, 64, workers)) {
      Documents documents = new Documents(TOKENS, new int[] {100}, 8);
      LinearTensors inputs = tensors(arena, shape, gateWidth);
      LinearTensors gradients = tensors(arena, shape, gateWidth);
      Matrix o = arena.matrix(TOKENS, shape.valueColumns());
      Matrix state = arena.matrix(shape.keyColumns(), shape.valueWidth());
      Matrix transition = arena.matrix(shape.keyColumns(), 1);
      KernelAllocationTest.assertBecomesSteady(
          () -> {
            attention.summarize(inputs, documents, state, transition);
            attention.forward(inputs, documents, o);
            attention.addIncoming(inputs, state, documents, o);
            attention.summarizeGradient(inputs, o, documents, state);
            attention.backward(inputs, o, state, documents, gradients);
            attention.addIncomingGradient(inputs, state, state, documents, gradients);
          });
    }
  }

  private static LinearTensors tensors(Arena arena, AttentionShape shape, GateWidth gateWidth) {
    return new LinearTensors(
        arena.matrix(TOKENS, shape.keyColumns()),
        arena.matrix(TOKENS, shape.keyColumns()),
        arena.matrix(TOKENS, shape.valueColumns()),
        arena.matrix(TOKENS, gateWidth.columns(shape)),
        null);
  }
}
