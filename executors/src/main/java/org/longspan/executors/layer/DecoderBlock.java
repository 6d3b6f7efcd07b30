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
 *
 * <p>Several tensor ranks each have some of the mixer's heads and of the feed-forward's hidden
 * columns. Each holds the stream whole: what mixer and feed-forward add to it, and the gradients of
 * what they take, are sums over the tensor ranks, four in all, in flight while other tiles are
 * worked on; a latent mixer sums less, see {@link LatentMixer}. Norms and convolution are computed
 * on each rank alike, from the same numbers, so that they need no message and each finds the whole
 * of their gradients.
 *
 * <p>Traffic: of n bytes in a slice's rows, a rank receives {@code 4(T−1)/T · n} in the forward and
 * as many in the backward, T the tensor ranks. Where layers compute things again they keep what
 * came from other ranks, and nothing is sent again.
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
  private final PartialRows normalizedGradients;

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
          case LATENT -> new LatentMixer(environment, shape.latent());
        };
    this.feedForward = new FeedForward(environment, shape.feedForward());
    this.convolved = convolution == null ? null : environment.kept("convolved", capacity, width);
    this.mixed = environment.keptSum("mixed", capacity, width);
    this.mixerInverse = environment.kept("mixer inverse", capacity, 1);
    this.feedForwardInverse = environment.kept("feed-forward inverse", capacity, 1);
    this.normalizedTile = environment.tileScratch("normalized", width);
    this.normalizedGradients = new PartialRows(environment, "normalized gradient", width);
  }

  /**
   * The parameters of a block of this shape, in the order in which a model keeps them, as a rank at
   * {@code place} holds them.
   */
  public static List<ParameterShape> parameters(BlockShape shape, TensorPlace place) {
    int width = shape.width();
    List<ParameterShape> all = new ArrayList<>();
    if (shape.convolution() > 0) {
      all.addAll(CausalConvolution.parameters(width, shape.convolution()));
    }
    all.add(new ParameterShape(MIXER_NORM, 1, width, Kind.GAIN));
    all.addAll(
        switch (shape.mixer()) {
          case LIGHTNING, SIMPLE_GLA, GLA, GATED_DELTA -> LinearMixer.parameters(shape, place);
          case LOCAL -> WindowMixer.parameters(width, shape.heads(), place);
          case LATENT -> LatentMixer.parameters(shape.latent(), place);
        });
    all.add(new ParameterShape(FEED_FORWARD_NORM, 1, width, Kind.GAIN));
    all.addAll(FeedForward.parameters(width, shape.feedForward(), place));
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
    mixer.attend(parameters);
    environment.forEachTile(
        List.of(
            Stage.summing(
                mixed, (worker, first, count) -> join(worker, first, count, stream, parameters)),
            Stage.summing(
                out,
                (worker, first, count) -> {
                  Matrix normalized = normalizeMixed(worker, first, count, parameters);
                  Matrix result = out.rows(first, first + count);
                  environment.bring(mixed.rows(first, first + count), result);
                  feedForward.forward(worker, first, normalized, result, parameters);
                })));
  }

  private void project(Matrix stream, Parameters parameters) {
    mixer.begin();
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

  /** This rank's part of {@code mixed} of a tile. */
  private void join(int worker, int first, int count, Matrix stream, Parameters parameters) {
    Matrix tile = mixed.rows(first, first + count);
    environment.bring(stream.rows(first, first + count), tile);
    mixer.join(worker, first, tile, parameters);
  }

  /** What the feed-forward of a tile takes. */
  private Matrix normalizeMixed(int worker, int first, int count, Parameters parameters) {
    Matrix normalized = normalizedTile.of(worker, count);
    environment
        .numerics()
        .rows()
        .normalize(
            mixed.rows(first, first + count),
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
    mixer.attendAgain(parameters);
    environment.forEachTile(
        (worker, first, count) -> {
          if (environment.tensor().size() == 1) {
            join(worker, first, count, stream, parameters);
          }
          feedForward.raise(first, normalizeMixed(worker, first, count, parameters), parameters);
        });
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
        List.of(
            Stage.summing(
                normalizedGradients.slice(),
                (worker, first, count) -> {
                  Matrix normalized = normalizedTile.of(worker, count);
                  rows.normalize(
                      mixed.rows(first, first + count),
                      parameters.value(FEED_FORWARD_NORM),
                      normalized,
                      feedForwardInverse.rows(first, first + count));
                  feedForward.backward(
                      worker,
                      first,
                      normalized,
                      gradient.rows(first, first + count),
                      normalizedGradients.of(worker, first, count),
                      parameters);
                }),
            Stage.of(
                (worker, first, count) -> {
                  Matrix tileGradient = gradient.rows(first, first + count);
                  rows.normalizeGradient(
                      mixed.rows(first, first + count),
                      parameters.value(FEED_FORWARD_NORM),
                      feedForwardInverse.rows(first, first + count),
                      normalizedGradients.of(worker, first, count),
                      tileGradient,
                      parameters.gradient(worker, FEED_FORWARD_NORM));
                  mixer.joinGradient(worker, first, tileGradient, parameters);
                })));
    mixer.attendGradient(parameters);
    parameters.forEachTile(
        List.of(
            Stage.summing(
                mixer.givesWholeGradients() ? null : normalizedGradients.slice(),
                (worker, first, count) -> {
                  Matrix normalized = normalizedTile.of(worker, count);
                  rows.normalize(
                      stream.rows(first, first + count),
                      parameters.value(MIXER_NORM),
                      normalized,
                      mixerInverse.rows(first, first + count));
                  mixer.projectGradient(
                      worker,
                      first,
                      normalized,
                      normalizedGradients.of(worker, first, count),
                      parameters);
                }),
            Stage.of(
                (worker, first, count) ->
                    rows.normalizeGradient(
                        stream.rows(first, first + count),
                        parameters.value(MIXER_NORM),
                        mixerInverse.rows(first, first + count),
                        normalizedGradients.of(worker, first, count),
                        gradient.rows(first, first + count),
                        parameters.gradient(worker, MIXER_NORM)))));
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
