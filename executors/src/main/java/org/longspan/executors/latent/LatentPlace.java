package org.longspan.executors.latent;

import org.longspan.executors.kernel.Workers;
import org.longspan.executors.math.Numerics;
import org.longspan.parallelism.collective.Communicator;
import org.longspan.parallelism.collective.ElementType;

/**
 * Where a latent attention works.
 *
 * @param sequence the ranks that share a sequence
 * @param tensor the ranks that share a slice
 * @param capacity tokens in the longest slice that this rank will get
 * @param tile rows that a worker takes through products at a time
 */
public record LatentPlace(
    Communicator sequence,
    Communicator tensor,
    Numerics numerics,
    Workers workers,
    LatentMemory memory,
    int capacity,
    int tile) {

  /** How numbers travel. */
  ElementType elementType() {
    return switch (numerics.precision()) {
      case FLOAT -> ElementType.FLOAT;
      case DOUBLE -> ElementType.DOUBLE;
    };
  }
}
