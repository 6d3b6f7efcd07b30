package org.longspan.executors.latent;

import java.util.List;
import org.longspan.executors.kernel.AttentionShape;
import org.longspan.executors.kernel.Kernels;
import org.longspan.executors.memory.Matrix;
import org.longspan.executors.memory.Precision;

/**
 * What computes softmax attention between blocks of latents, which it expands to keys and values,
 * and blocks of queries.
 *
 * <p>Threading: one thread, with the place's workers.
 */
interface LatentBlocks extends AutoCloseable {
  /** What the place's kernel says. */
  static LatentBlocks of(LatentShare share, LatentPlace place) {
    Precision precision = place.numerics().precision();
    LatentShape shape = share.shape();
    return Kernels.partial(
            place.kernel(),
            precision,
            new AttentionShape(share.heads(), shape.keyWidth(), shape.value()),
            place.workers())
        .<LatentBlocks>map(attention -> new DeviceBlocks(share, place, attention))
        .orElseGet(
            () ->
                new ProcessorBlocks(share, place, Kernels.description(place.kernel(), precision)));
  }

  /** Blocks of keys that {@link #backward} takes at most. */
  int atOnce(int blockLength);

  /**
   * Adds to each query's running softmax: {@code attended}, {@code maxima}, and in {@code logSums}
   * the sums relative to the maxima. Keys come from the last block to the first.
   */
  void forward(LatentKeys keys, List<QueryRows> queries);

  /**
   * Adds to the gradients of the queries, and gives those of the keys and values.
   *
   * @param ofKeys {@code [tokens, groups · heads · nope]}, overwritten
   * @param ofRopes {@code [tokens, groups · heads · rope]}, overwritten
   * @param ofValues {@code [tokens, groups · heads · value]}, overwritten
   */
  void backward(
      LatentKeys keys, List<QueryRows> queries, Matrix ofKeys, Matrix ofRopes, Matrix ofValues);

  /** Pairs of a query and a key multiplied so far, for each head and group. */
  long pairs();

  /** What computes, for the run's first lines. */
  String description();

  @Override
  void close();
}
