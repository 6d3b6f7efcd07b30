package org.longspan.parallelism.collective;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;

/** Times folds of a small state on every rank, of each kind for a tenth of a second. */
final class FoldProbe {
  private static final StateShape SHAPE = new StateShape(ElementType.FLOAT, 2, 64, 64);

  /** The first folds run code that is not compiled yet; the shortest of a tenth of a second not. */
  private static final long NANOSECONDS = 100_000_000;

  private static final double SHORTEST_SECONDS = 1e-9;

  private final Communicator communicator;

  FoldProbe(Communicator communicator) {
    this.communicator = communicator;
  }

  FoldCost slowest() {
    ByteBuffer own = doubles(2);
    own.putDouble(0, bestSeconds(TransitionKind.DIAGONAL) / SHAPE.bytes());
    own.putDouble(
        Double.BYTES, bestSeconds(TransitionKind.MATRIX) / SHAPE.bytes() / SHAPE.keyWidth());
    ByteBuffer all = doubles(2 * communicator.size());
    communicator.allGather(own, all);
    double scale = 0;
    double multiply = 0;
    for (int rank = 0; rank < communicator.size(); rank++) {
      scale = Math.max(scale, all.getDouble(rank * own.capacity()));
      multiply = Math.max(multiply, all.getDouble(rank * own.capacity() + Double.BYTES));
    }
    return new FoldCost(scale, multiply);
  }

  private static ByteBuffer doubles(int count) {
    return ByteBuffer.allocate(count * Double.BYTES).order(ByteOrder.nativeOrder());
  }

  private static double bestSeconds(TransitionKind kind) {
    Recurrence recurrence = kind.recurrence(SHAPE);
    ByteBuffer transition = ones(recurrence.transitionElements());
    Rows before = Rows.in(ones(SHAPE.elements()), SHAPE, Region.all(SHAPE));
    Rows summary = Rows.in(ones(SHAPE.elements()), SHAPE, Region.all(SHAPE));
    Rows after = Rows.in(ones(SHAPE.elements()), SHAPE, Region.all(SHAPE));
    long start = System.nanoTime();
    long now = start;
    long shortest = Long.MAX_VALUE;
    while (now - start < NANOSECONDS) {
      long last = now;
      recurrence.apply(
          ScanDirection.FORWARD, transition, Region.all(SHAPE), before, summary, after);
      now = System.nanoTime();
      shortest = Math.min(shortest, now - last);
    }
    return Math.max(SHORTEST_SECONDS, shortest / 1e9);
  }

  private static ByteBuffer ones(int elements) {
    float[] ones = new float[elements];
    Arrays.fill(ones, 1);
    ByteBuffer bytes =
        ByteBuffer.allocateDirect(elements * Float.BYTES).order(ByteOrder.nativeOrder());
    bytes.asFloatBuffer().put(ones);
    return bytes;
  }
}
