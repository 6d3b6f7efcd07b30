package org.longspan.executors.latent;

import org.longspan.executors.kernel.KernelChoice;
import org.longspan.executors.kernel.Workers;
import org.longspan.executors.math.Numerics;
import org.longspan.executors.memory.Matrix;
import org.longspan.parallelism.collective.Communicator;
import org.longspan.parallelism.collective.ElementType;

/**
 * Where a latent attention works.
 *
 * @param sequence the ranks that share a sequence
 * @param tensor the ranks that share a slice
 * @param capacity tokens in the longest slice that this rank will get
 * @param tile rows that a worker takes through products at a time: a block of the grid
 * @param tensorSum over the tensor ranks; the backward's fused sum is one call
 * @param order null where results may depend on the number of sequence ranks by rounding
 * @param kernel what computes scores and outputs
 */
public record LatentPlace(
    Communicator sequence,
    Communicator tensor,
    Numerics numerics,
    Workers workers,
    LatentMemory memory,
    int capacity,
    int tile,
    RowSum tensorSum,
    OrderedTiles order,
    KernelChoice kernel) {

  /** Sums rows over the tensor ranks, in place. */
  public interface RowSum {
    /** {@code rows} is contiguous and not empty; a collective of the tensor ranks. */
    void sum(Matrix rows);
  }

  /** On the CPU, where results may depend on the number of ranks by rounding. */
  public LatentPlace(
      Communicator sequence,
      Communicator tensor,
      Numerics numerics,
      Workers workers,
      LatentMemory memory,
      int capacity,
      int tile) {
    this(
        sequence,
        tensor,
        numerics,
        workers,
        memory,
        capacity,
        tile,
        rows -> tensor.allReduce(rows.bytes(), type(numerics)),
        null,
        KernelChoice.CPU);
  }

  /** The same place with something else that computes. */
  public LatentPlace computing(KernelChoice otherwise) {
    return new LatentPlace(
        sequence, tensor, numerics, workers, memory, capacity, tile, tensorSum, order, otherwise);
  }

  /** How numbers travel. */
  ElementType elementType() {
    return type(numerics);
  }

  private static ElementType type(Numerics numerics) {
    return switch (numerics.precision()) {
      case FLOAT -> ElementType.FLOAT;
      case DOUBLE -> ElementType.DOUBLE;
    };
  }
}
