package org.longspan.executors.generate;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.longspan.executors.kernel.Workers;
import org.longspan.executors.latent.CacheSplit;
import org.longspan.executors.latent.LatentReading;
import org.longspan.executors.layer.Span;
import org.longspan.executors.math.Numerics;
import org.longspan.executors.memory.Arena;
import org.longspan.executors.memory.Matrix;
import org.longspan.executors.model.ModelShape;
import org.longspan.parallelism.collective.Communicator;

/**
 * A model, or a tensor rank's share of it, that reads one text, a token at a time, from its start.
 *
 * <p>Traffic: of a row of the stream a rank receives {@code 2(T−1)/T} for the embedding and twice
 * that for every block, T the tensor ranks, and the other ranks' logits; latent mixers say what
 * they add.
 *
 * <p>Threading: one thread; every tensor rank calls the same in the same order.
 */
public final class Decoding implements AutoCloseable {
  private final Numerics numerics;
  private final ReadingRanks ranks;
  private final Span ids;
  private final Map<String, Matrix> parameters;
  private final Arena arena;
  private final List<DecodingBlock> blocks;
  private final Matrix stream;
  private final Matrix normalized;
  private final Matrix inverse;
  private final Matrix logits;
  private long position;

  /**
   * @param parameters of every parameter by its name, what this rank has of it
   * @param split of the caches of latent mixers
   * @param tensor the ranks that read the text together; used while this is
   */
  public Decoding(
      ModelShape shape,
      Numerics numerics,
      Map<String, Matrix> parameters,
      CacheSplit split,
      Workers workers,
      Communicator tensor) {
    this.numerics = numerics;
    this.ranks = new ReadingRanks(tensor, numerics.precision());
    this.ids = ranks.place().share(shape.vocabulary());
    this.parameters = parameters;
    this.arena = new Arena("of a text", numerics.precision());
    this.blocks =
        new ArrayList<>(
            IntStream.range(0, shape.layers())
                .mapToObj(
                    layer ->
                        new DecodingBlock(
                            shape.block(layer), numerics, parameters, split, arena, workers, ranks))
                .toList());
    this.stream = arena.matrix(1, shape.width());
    this.normalized = arena.matrix(1, shape.width());
    this.inverse = arena.matrix(1, 1);
    this.logits = arena.matrix(1, shape.vocabulary());
  }

  /**
   * Reads {@code token}; the logits of the one after it, {@code [1, vocabulary]}, overwritten by
   * the next step, the same to the last bit on every rank.
   *
   * @param reading of the token by latent mixers
   */
  public Matrix step(int token, LatentReading reading) {
    ReadToken read = new ReadToken(position, reading);
    int row = token < ids.from() || token >= ids.to() ? -1 : token - ids.from();
    numerics.rows().gather(parameters.get("embedding.weight"), new int[] {row}, 0, stream);
    ranks.sum(stream);
    for (DecodingBlock block : blocks) {
      block.step(read, stream);
    }
    numerics.rows().normalize(stream, parameters.get("head.norm"), normalized, inverse);
    numerics
        .products()
        .multiply(
            normalized, parameters.get("head.weight"), 0, logits.columns(ids.from(), ids.to()));
    ranks.gather(logits);
    position++;
    return logits;
  }

  /** What this rank remembers of the text, of all layers. */
  public CacheSize cacheSize() {
    return blocks.stream()
        .map(DecodingBlock::cacheSize)
        .reduce(new CacheSize(0, 0), CacheSize::plus);
  }

  /** Bytes that it holds now; they grow with what it reads where mixers are latent ones. */
  public long bytes() {
    return arena.bytes();
  }

  @Override
  public void close() {
    blocks.forEach(DecodingBlock::close);
    arena.close();
  }
}
