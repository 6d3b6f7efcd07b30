package org.longspan.executors.generate;

import java.util.Map;
import org.longspan.executors.kernel.Workers;
import org.longspan.executors.latent.CacheSplit;
import org.longspan.executors.layer.BlockShape;
import org.longspan.executors.layer.TensorPlace;
import org.longspan.executors.math.Numerics;
import org.longspan.executors.math.RowOperations;
import org.longspan.executors.memory.Arena;
import org.longspan.executors.memory.Matrix;

/**
 * One decoder block, or a rank's share of it, a token at a time. What it remembers of the tokens
 * before are the convolution's last rows, and what its mixer keeps: of constant size but for a
 * latent one.
 */
final class DecodingBlock implements AutoCloseable {
  private final BlockShape shape;
  private final Numerics numerics;
  private final Map<String, Matrix> parameters;
  private final ReadingRanks ranks;
  private final DecodingMixer mixer;
  private final Matrix history;
  private final Matrix stream;
  private final Matrix normalized;
  private final Matrix inverse;
  private final Matrix up;
  private final Matrix hidden;
  private final int[] reach = new int[1];

  DecodingBlock(
      BlockShape shape,
      Numerics numerics,
      Map<String, Matrix> parameters,
      CacheSplit split,
      Arena arena,
      Workers workers,
      ReadingRanks ranks) {
    this.shape = shape;
    this.numerics = numerics;
    this.parameters = parameters;
    this.ranks = ranks;
    TensorPlace place = ranks.place();
    this.mixer =
        switch (shape.mixer()) {
          case LIGHTNING, SIMPLE_GLA, GLA, GATED_DELTA ->
              new LinearDecoding(shape, place, numerics, arena, workers);
          case LOCAL -> new WindowDecoding(shape, place, numerics, arena, workers);
          case LATENT -> new LatentDecoding(shape.latent(), split, numerics, arena, ranks);
        };
    this.history = arena.matrix(Math.max(1, shape.convolution()), shape.width());
    this.stream = arena.matrix(1, shape.width());
    this.normalized = arena.matrix(1, shape.width());
    this.inverse = arena.matrix(1, 1);
    int hiddenColumns = place.share(shape.feedForward()).length();
    this.up = arena.matrix(1, 2 * hiddenColumns);
    this.hidden = arena.matrix(1, hiddenColumns);
  }

  private Matrix parameter(String name) {
    return parameters.get("blocks." + shape.layer() + "." + name);
  }

  /** Takes {@code x} {@code [1, width]}, of {@code token}, through the block, in place. */
  void step(ReadToken token, Matrix x) {
    RowOperations rows = numerics.rows();
    if (shape.convolution() > 0) {
      remember(x);
      reach[0] = (int) Math.min(shape.convolution() - 1, token.position());
      rows.convolve(
          history, shape.convolution() - 1, parameter("convolution"), reach, 0, 1, stream);
    } else {
      stream.set(x);
    }
    rows.normalize(stream, parameter("mixer-norm"), normalized, inverse);
    ranks.add(stream, () -> mixer.step(token, normalized, this::parameter, stream));
    rows.normalize(stream, parameter("feed-forward-norm"), normalized, inverse);
    ranks.add(stream, this::feedForward);
    x.set(stream);
  }

  private void feedForward() {
    numerics.products().multiply(normalized, parameter("feed-forward.up"), 0, up);
    numerics.rows().swiglu(up, hidden);
    numerics.products().multiply(hidden, parameter("feed-forward.down"), 1, stream);
  }

  /** What it remembers of the tokens before. */
  CacheSize cacheSize() {
    long rows = shape.convolution() > 0 ? history.size() : 0;
    return mixer.cacheSize().plus(new CacheSize(0, rows * numerics.precision().bytes()));
  }

  /** Moves the rows up by one and puts {@code x} last. */
  private void remember(Matrix x) {
    int last = shape.convolution() - 1;
    for (int row = 0; row < last; row++) {
      history.rows(row, row + 1).set(history.rows(row + 1, row + 2));
    }
    history.rows(last, last + 1).set(x);
  }

  @Override
  public void close() {
    mixer.close();
  }
}
