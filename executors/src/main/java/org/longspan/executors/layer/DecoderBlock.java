package org.longspan.executors.layer;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import org.longspan.executors.layer.ParameterShape.Kind;
import org.longspan.executors.layer.RankMode.LayerMemory;
import org.longspan.executors.math.RowOperations;
import org.longspan.executors.memory.Matrix;

/**
 * {@code x ← x + conv(x)} (where asked for); {@code x ← x + mixer(RMSNorm(x))}; {@code x ← x +
 * feedForward(RMSNorm(x))}. Between the mixer's attention and the next block everything is done
 * tile by tile, while a tile is in the cache.
 */
public final class DecoderBlock implements AutoCloseable {
  private static final String MIXER_NORM = "mixer-norm";
  private static final String FEED_FORWARD_NORM = "feed-forward-norm";

  private final RankEnvironment environment;
  private final CausalConvolution convolution;
  private final Mixer mixer;
  private final FeedForward feedForward;
  private final Matrix convolved;
  private final Matrix mixed;
  private final Matrix mixerInverse;
  private final Matrix feedForwardInverse;
  private final BlockShape shape;
  private final TileScratch normalizedTile;
  private final TileScratch normalizedGradientTile;

  public DecoderBlock(RankEnvironment environment, BlockShape shape) {
    this.environment = environment;
    this.shape = shape;
    int capacity = environment.capacity();
    int width = shape.width();
    this.convolution =
        shape.convolution() == 0
            ? null
            : new CausalConvolution(environment, width, shape.convolution());
    this.mixer =
        switch (shape.mixer()) {
          case LIGHTNING, SIMPLE_GLA, GLA, GATED_DELTA -> new LinearMixer(environment, shape);
          case LOCAL -> new WindowMixer(environment, width, shape.heads(), shape.window());
        };
    this.feedForward = new FeedForward(environment, width, shape.feedForward());
    this.convolved = convolution == null ? null : environment.kept("convolved", capacity, width);
    this.mixed = environment.kept("mixed", capacity, width);
    this.mixerInverse = environment.kept("mixer inverse", capacity, 1);
    this.feedForwardInverse = environment.kept("feed-forward inverse", capacity, 1);
    this.normalizedTile = environment.tileScratch("normalized", width);
    this.normalizedGradientTile = environment.tileScratch("normalized gradient", width);
  }

  /** The parameters of a block of this shape, in the order in which a model keeps them. */
  public static List<ParameterShape> parameters(BlockShape shape) {
    int width = shape.width();
    List<ParameterShape> all = new ArrayList<>();
    if (shape.convolution() > 0) {
      all.addAll(CausalConvolution.parameters(width, shape.convolution()));
    }
    all.add(new ParameterShape(MIXER_NORM, 1, width, Kind.GAIN));
    all.addAll(
        switch (shape.mixer()) {
          case LIGHTNING, SIMPLE_GLA, GLA, GATED_DELTA -> LinearMixer.parameters(shape);
          case LOCAL -> WindowMixer.parameters(width);
        });
    all.add(new ParameterShape(FEED_FORWARD_NORM, 1, width, Kind.GAIN));
    all.addAll(FeedForward.parameters(width, shape.feedForward()));
    return all;
  }

  /**
   * {@code out} from {@code x}, both {@code [tokens, width]}; x must stay as it is until the
   * backward.
   */
  public void forward(Matrix x, Matrix out, Parameters parameters) {
    environment.enterLayer(shape.layer());
    if (convolution != null) {
      convolution.forward(x, convolved, parameters);
    }
    Matrix stream = convolution == null ? x : convolved;
    project(stream, parameters);
    mixer.attend();
    environment.forEachTile(
        (worker, first, count) -> {
          Matrix normalized = join(worker, first, count, stream, parameters);
          Matrix result = out.rows(first, first + count);
          result.set(mixed.rows(first, first + count));
          feedForward.forward(worker, first, normalized, result, parameters);
        });
  }

  private void project(Matrix stream, Parameters parameters) {
    environment.forEachTile(
        (worker, first, count) -> {
          Matrix normalized = normalizedTile.of(worker, count);
          environment
              .numerics()
              .rows()
              .normalize(
                  stream.rows(first, first + count),
                  parameters.value(MIXER_NORM),
                  normalized,
                  mixerInverse.rows(first, first + count));
          mixer.project(worker, first, normalized, parameters);
        });
  }

  /** {@code mixed} of a tile, and what its feed-forward takes. */
  private Matrix join(int worker, int first, int count, Matrix stream, Parameters parameters) {
    Matrix tile = mixed.rows(first, first + count);
    tile.set(stream.rows(first, first + count));
    mixer.join(worker, first, tile, parameters);
    Matrix normalized = normalizedTile.of(worker, count);
    environment
        .numerics()
        .rows()
        .normalize(
            tile,
            parameters.value(FEED_FORWARD_NORM),
            normalized,
            feedForwardInverse.rows(first, first + count));
    return normalized;
  }

  /** What the forward computed and did not keep. */
  private void recompute(Matrix x, Parameters parameters) {
    if (convolution != null) {
      convolution.forwardAgain(x, convolved, parameters);
    }
    Matrix stream = convolution == null ? x : convolved;
    project(stream, parameters);
    mixer.attendAgain();
    environment.forEachTile(
        (worker, first, count) ->
            feedForward.raise(first, join(worker, first, count, stream, parameters), parameters));
  }

  /** Turns {@code gradient}, of the output, into that of {@code x}, in place. */
  public void backward(Matrix x, Matrix gradient, Parameters parameters) {
    environment.enterLayer(shape.layer());
    RowOperations rows = environment.numerics().rows();
    Matrix stream = convolution == null ? x : convolved;
    if (environment.mode().memory() == LayerMemory.RECOMPUTE) {
      recompute(x, parameters);
    }
    parameters.startGradients();
    parameters.forEachTile(
        (worker, first, count) -> {
          Matrix tile = mixed.rows(first, first + count);
          Matrix tileGradient = gradient.rows(first, first + count);
          Matrix inverse = feedForwardInverse.rows(first, first + count);
          Matrix normalized = normalizedTile.of(worker, count);
          Matrix normalizedGradient = normalizedGradientTile.of(worker, count);
          rows.normalize(tile, parameters.value(FEED_FORWARD_NORM), normalized, inverse);
          feedForward.backward(
              worker, first, normalized, tileGradient, normalizedGradient, parameters);
          rows.normalizeGradient(
              tile,
              parameters.value(FEED_FORWARD_NORM),
              inverse,
              normalizedGradient,
              tileGradient,
              parameters.gradient(worker, FEED_FORWARD_NORM));
          mixer.joinGradient(worker, first, tileGradient, parameters);
        });
    mixer.attendGradient();
    parameters.forEachTile(
        (worker, first, count) -> {
          Matrix tile = stream.rows(first, first + count);
          Matrix inverse = mixerInverse.rows(first, first + count);
          Matrix normalized = normalizedTile.of(worker, count);
          Matrix normalizedGradient = normalizedGradientTile.of(worker, count);
          rows.normalize(tile, parameters.value(MIXER_NORM), normalized, inverse);
          mixer.projectGradient(worker, first, normalized, normalizedGradient, parameters);
          rows.normalizeGradient(
              tile,
              parameters.value(MIXER_NORM),
              inverse,
              normalizedGradient,
              gradient.rows(first, first + count),
              parameters.gradient(worker, MIXER_NORM));
        });
    if (convolution != null) {
      convolution.backward(x, gradient.rows(0, environment.input().length()), parameters);
    }
    parameters.finishGradients();
  }

  /** What computes its attention. */
  public String description() {
    return shape.mixer().name().toLowerCase(Locale.ROOT).replace('_', '-')
        + ": "
        + mixer.description();
  }

  @Override
  public void close() {
    mixer.close();
  }
}
