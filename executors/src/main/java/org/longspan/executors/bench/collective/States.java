package org.longspan.executors.bench.collective;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Random;
import org.longspan.parallelism.collective.ScanPiece;
import org.longspan.parallelism.collective.StateShape;
import org.longspan.parallelism.collective.Transition;

/** Made-up states outside the heap. */
final class States {
  private static final float DECAY = 0.9f;

  private States() {}

  /** A piece with random numbers for its state, and room for the incoming one. */
  static ScanPiece piece(StateShape shape, long seed) {
    ByteBuffer factors = zeros(shape.rows() * Float.BYTES);
    for (int row = 0; row < shape.rows(); row++) {
      factors.putFloat(row * Float.BYTES, DECAY);
    }
    return new ScanPiece(
        random(shape.bytes(), seed), Transition.diagonal(factors), zeros(shape.bytes()));
  }

  static ByteBuffer random(int bytes, long seed) {
    Random random = new Random(seed);
    ByteBuffer numbers = zeros(bytes);
    for (int at = 0; at < bytes; at += Float.BYTES) {
      numbers.putFloat(at, random.nextFloat() - 0.5f);
    }
    return numbers;
  }

  static ByteBuffer zeros(int bytes) {
    return ByteBuffer.allocateDirect(bytes).order(ByteOrder.nativeOrder());
  }
}
