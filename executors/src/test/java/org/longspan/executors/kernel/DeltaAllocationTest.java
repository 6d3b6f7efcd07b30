package org.longspan.executors.kernel;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.management.ThreadMXBean;
import java.lang.management.ManagementFactory;
import java.time.Duration;
import java.time.Instant;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.longspan.executors.memory.Arena;
import org.longspan.executors.memory.Matrix;
import org.longspan.executors.memory.Precision;

/** Calls allocate nothing that grows: a vector put on the heap in a loop would show at once. */
class DeltaAllocationTest {
  private static final int TOKENS = 512;
  private static final int STEADY_BYTES = 4096;
  private static final Duration PATIENCE = Duration.ofSeconds(60);

  @ParameterizedTest
  @EnumSource(Precision.class)
  void shouldAllocateNothingOnceWarm(Precision precision) {
    AttentionShape shape = new AttentionShape(2, 24, 40);
    try (Workers workers = new Workers(1);
        Arena arena = new Arena("test", precision);
        LinearAttention attention =
            Kernels.delta(KernelChoice.CPU, precision, shape, 64, workers)) {
      Documents documents = new Documents(TOKENS, new int[] {100}, 8);
      LinearTensors inputs = tensors(arena, shape);
      LinearTensors gradients = tensors(arena, shape);
      Matrix o = arena.matrix(TOKENS, shape.valueColumns());
      Matrix state = arena.matrix(shape.keyColumns(), shape.valueWidth());
      Matrix transition = arena.matrix(shape.keyColumns(), attention.transitionColumns());
      assertBecomesSteady(
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

  private static LinearTensors tensors(Arena arena, AttentionShape shape) {
    return new LinearTensors(
        arena.matrix(TOKENS, shape.keyColumns()),
        arena.matrix(TOKENS, shape.keyColumns()),
        arena.matrix(TOKENS, shape.valueColumns()),
        arena.matrix(TOKENS, shape.heads()),
        arena.matrix(TOKENS, shape.heads()));
  }

  /** Compilation takes its time, and runs beside us: some call allocates next to nothing. */
  private static void assertBecomesSteady(Runnable call) {
    ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
    long thread = Thread.currentThread().getId();
    Instant end = Instant.now().plus(PATIENCE);
    long least = Long.MAX_VALUE;
    while (least > STEADY_BYTES && Instant.now().isBefore(end)) {
      long before = threads.getThreadAllocatedBytes(thread);
      call.run();
      least = Math.min(least, threads.getThreadAllocatedBytes(thread) - before);
    }
    assertThat(least).as("bytes allocated by a call").isLessThanOrEqualTo(STEADY_BYTES);
  }
}
