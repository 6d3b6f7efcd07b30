package org.longspan.parallelism.mesh;

import java.util.List;
import java.util.stream.IntStream;

/**
 * How the ranks of a run are laid out: {@code data × sequence × tensor}. Tensor ranks are
 * neighbours, then sequence, then data: {@code rank = (data · sequences + sequence) · tensors +
 * tensor}.
 */
public record Mesh(int data, int sequence, int tensor) {
  public Mesh {
    if (data < 1 || sequence < 1 || tensor < 1) {
      throw new IllegalArgumentException(
          "Every side of a mesh is at least 1: " + data + " x " + sequence + " x " + tensor);
    }
  }

  /** Ranks in it. */
  public int size() {
    return data * sequence * tensor;
  }

  /** Where {@code rank} stands. */
  public Rank rank(int rank) {
    if (rank < 0 || rank >= size()) {
      throw new IllegalArgumentException("Rank " + rank + " of a mesh of " + size() + " ranks");
    }
    return new Rank(rank, rank / tensor / sequence, rank / tensor % sequence, rank % tensor);
  }

  /**
   * The ranks that share one sequence with {@code of}: same data and tensor place, in sequence
   * order.
   */
  public List<Integer> sequenceGroup(Rank of) {
    return IntStream.range(0, sequence)
        .map(place -> (of.data() * sequence + place) * tensor + of.tensor())
        .boxed()
        .toList();
  }

  /**
   * The ranks that hold the same part of other sequences than {@code of} does: same sequence and
   * tensor place, in data order.
   */
  public List<Integer> dataGroup(Rank of) {
    return IntStream.range(0, data)
        .map(place -> (place * sequence + of.sequence()) * tensor + of.tensor())
        .boxed()
        .toList();
  }

  /**
   * The ranks that have the same share of the model as {@code of}: same tensor place, in the order
   * of their numbers.
   */
  public List<Integer> sameShareGroup(Rank of) {
    return IntStream.range(0, data * sequence)
        .map(place -> place * tensor + of.tensor())
        .boxed()
        .toList();
  }

  /**
   * The ranks that share the slice of {@code of}, each with a share of the model: same data and
   * sequence place, in tensor order.
   */
  public List<Integer> tensorGroup(Rank of) {
    return IntStream.range(0, tensor)
        .map(place -> (of.data() * sequence + of.sequence()) * tensor + place)
        .boxed()
        .toList();
  }
}
