package org.longspan.executors.generate;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.longspan.executors.kernel.Workers;
import org.longspan.executors.math.Numerics;
import org.longspan.executors.memory.Arena;
import org.longspan.executors.memory.Matrix;
import org.longspan.executors.model.ModelShape;

/** A model that reads one text, a token at a time, from its start. */
public final class Decoding implements AutoCloseable {
  private final Numerics numerics;
  private final Map<String, Matrix> parameters;
  private final Arena arena;
  private final List<DecodingBlock> blocks;
  private final Matrix stream;
  private final Matrix normalized;
  private final Matrix inverse;
  private final Matrix logits;
  private long position;

  /**
   * @param parameters every parameter of the model by its name
   */
  public Decoding(
      ModelShape shape, Numerics numerics, Map<String, Matrix> parameters, Workers workers) {
    this.numerics = numerics;
    this.parameters = parameters;
    this.arena = new Arena("of a text", numerics.precision());
    this.blocks =
        new ArrayList<>(
            IntStream.range(0, shape.layers())
                .mapToObj(
                    layer ->
                        new DecodingBlock(shape.block(layer), numerics, parameters, arena, workers))
                .toList());
    this.stream = arena.matrix(1, shape.width());
    this.normalized = arena.matrix(1, shape.width());
    this.inverse = arena.matrix(1, 1);
    this.logits = arena.matrix(1, shape.vocabulary());
  }

  /**
   * Reads {@code token}; the logits of the one after it, {@code [1, vocabulary]}, overwritten by
   * the next step.
   */
  public Matrix step(int token) {
    numerics.rows().gather(parameters.get("embedding.weight"), new int[] {token}, 0, stream);
    for (DecodingBlock block : blocks) {
      block.step(position, stream);
    }
    numerics.rows().normalize(stream, parameters.get("head.norm"), normalized, inverse);
    numerics.products().multiply(normalized, parameters.get("head.weight"), 0, logits);
    position++;
    return logits;
  }

  /** What it remembers of the text, of all layers. */
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
