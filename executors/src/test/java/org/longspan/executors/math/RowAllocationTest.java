package org.longspan.executors.math;

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
class RowAllocationTest {
  private static final int ROWS = 256;
  private static final int HEADS = 4;
  private static final int HEAD_WIDTH = 21;
  private static final int WIDTH = HEADS * HEAD_WIDTH;
  private static final int STEADY_BYTES = 4096;
  private static final Duration PATIENCE = Duration.ofSeconds(60);

  @ParameterizedTest
  @EnumSource(Precision.class)
  void shouldAllocateNothingOnceWarm(Precision precision) {
    RowOperations rows = Numerics.of(precision).rows();
    try (Arena arena = new Arena("test", precision)) {
      Matrix x = arena.matrix(ROWS, WIDTH);
      Matrix y = arena.matrix(ROWS, WIDTH);
      Matrix dx = arena.matrix(ROWS, WIDTH);
      Matrix dy = arena.matrix(ROWS, WIDTH);
      Matrix hidden = arena.matrix(ROWS, WIDTH / 2);
      Matrix gain = arena.matrix(1, WIDTH);
      Matrix inverse = arena.matrix(ROWS, 1);
      Matrix headGain = arena.matrix(1, HEAD_WIDTH);
      Matrix headInverse = arena.matrix(ROWS, HEADS);
      int[] targets = new int[ROWS];
      assertBecomesSteady(
          () -> {
            rows.normalize(x, gain, y, inverse);
            rows.normalizeGradient(x, gain, inverse, y, dx, gain);
            rows.normalizeAndGate(x, y, headGain, dx, headInverse);
            rows.normalizeAndGateGradient(x, y, headGain, headInverse, x, dx, dy, headGain);
            rows.silu(x, y);
            rows.siluGradient(x, y);
            rows.swiglu(x, hidden);
            rows.swigluGradient(x, hidden, dx);
            rows.crossEntropy(dx, targets, 0, 1);
          });
    }
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
