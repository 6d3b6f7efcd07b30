package org.longspan.executors.layer;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.longspan.executors.layer.ParameterShape.Kind;
import org.longspan.executors.math.Products;
import org.longspan.executors.memory.Matrix;
import org.longspan.parallelism.collective.Pending;

/**
 * Final RMSNorm, product with the vocabulary, softmax cross-entropy. Logits exist for a few tokens
 * at a time only, and a target is an index, never a one-hot row.
 *
 * <p>Each tensor rank has the logits of some tokens of the vocabulary, and finds the loss with the
 * others as {@link SplitCrossEntropy} says. Traffic: {@code 24 (T−1)} bytes a token, and for
 * gradients {@code 2(T−1)/T · n}, n the bytes of {@code x}, T the tensor ranks.
 */
public final class LanguageModelHead {
  private static final String NORM = "norm";
  private static final String WEIGHT = "weight";
  private static final int LOGITS_AT_ONCE = 1 << 20;

  private final RankEnvironment environment;
  private final int piece;
  private final Matrix inverse;
  private final double[] losses;
  private final TileScratch normalizedTile;
  private final PartialRows normalizedGradients;
  private final TileScratch logitsTile;
  private final SplitCrossEntropy split;

  public LanguageModelHead(RankEnvironment environment, int vocabulary, int width) {
    this.environment = environment;
    Span own = environment.place().share(vocabulary);
    int columns = environment.place().largestShare(vocabulary);
    this.piece = Math.max(1, Math.min(environment.tile(), LOGITS_AT_ONCE / columns));
    this.inverse = environment.shared("head inverse", environment.capacity(), 1);
    this.losses = new double[environment.capacity() / environment.tile() + 1];
    this.normalizedTile = environment.tileScratch("normalized", width);
    this.normalizedGradients = new PartialRows(environment, "normalized gradient", width);
    this.logitsTile = environment.tileScratch("logits", piece, own.length());
    this.split =
        environment.tensor().size() == 1 ? null : new SplitCrossEntropy(environment, own, piece);
  }

  /** The parameters of such a layer, as a rank at {@code place} holds them. */
  public static List<ParameterShape> parameters(int vocabulary, int width, TensorPlace place) {
    return List.of(
        new ParameterShape(NORM, 1, width, Kind.GAIN),
        new ParameterShape(
            WEIGHT, Side.all(width), Side.some(vocabulary, place.share(vocabulary)), Kind.WEIGHT));
  }

  /** The sum of the losses of the slice's predicted tokens, in nats. */
  public double loss(Matrix x, Parameters parameters) {
    environment.leaveLayers();
    if (split != null) {
      Arrays.fill(losses, 0);
      for (Span strip : environment.tensorSums().strips()) {
        split.losses(
            strip, (worker, first, count) -> logits(worker, first, count, x, parameters), losses);
      }
      return total();
    }
    environment.forEachTile(
        (worker, first, count) -> {
          double loss = 0;
          for (int start = first; start < first + count; start += piece) {
            int rows = Math.min(piece, first + count - start);
            loss += crossEntropy(logits(worker, start, rows, x, parameters), start);
          }
          losses[first / environment.tile()] = loss;
        });
    return total();
  }

  /**
   * The sum of the losses, its gradients by the parameters, and by {@code x} in {@code gradient}
   * (overwritten).
   */
  public double lossAndGradient(Matrix x, Matrix gradient, Parameters parameters) {
    environment.leaveLayers();
    parameters.startGradients();
    if (split != null) {
      splitLossAndGradient(x, gradient, parameters);
      parameters.finishGradients();
      return total();
    }
    parameters.forEachTile(
        (worker, first, count) -> {
          double loss = 0;
          for (int start = first; start < first + count; start += piece) {
            int rows = Math.min(piece, first + count - start);
            loss += pieceLossAndGradient(worker, start, rows, x, gradient, parameters);
          }
          losses[first / environment.tile()] = loss;
        });
    parameters.finishGradients();
    return total();
  }

  private void splitLossAndGradient(Matrix x, Matrix gradient, Parameters parameters) {
    Arrays.fill(losses, 0);
    List<Pending> sums = new ArrayList<>();
    for (Span strip : environment.tensorSums().strips()) {
      split.lossesAndGradients(
          strip,
          (worker, first, count) -> logits(worker, first, count, x, parameters),
          (worker, rows, logitsGradient) -> {
            logitsBackward(worker, rows.from(), logitsGradient, parameters);
            if (rows.to() == strip.to() || rows.to() % environment.tile() == 0) {
              parameters.endTile(worker, rows.from());
            }
          },
          losses);
      Matrix strips = normalizedGradients.slice().rows(strip.from(), strip.to());
      sums.add(environment.tensorSums().start(strips));
    }
    sums.forEach(Pending::await);
    parameters.forEachTile(
        (worker, first, count) -> normBackward(worker, first, count, x, gradient, parameters));
  }

  /** From the gradient by logits to that by what they come from, or this rank's part of it. */
  private void logitsBackward(int worker, int first, Matrix logitsGradient, Parameters parameters) {
    Products products = environment.numerics().products();
    long count = logitsGradient.rows();
    products.transposedMultiply(
        normalizedTile.of(worker, count), logitsGradient, 1, parameters.gradient(worker, WEIGHT));
    products.multiplyTransposed(
        logitsGradient, parameters.value(WEIGHT), 0, normalizedGradients.of(worker, first, count));
  }

  private void normBackward(
      int worker, int first, int count, Matrix x, Matrix gradient, Parameters parameters) {
    Matrix target = gradient.rows(first, first + count);
    target.zero();
    environment
        .numerics()
        .rows()
        .normalizeGradient(
            x.rows(first, first + count),
            parameters.value(NORM),
            inverse.rows(first, first + count),
            normalizedGradients.of(worker, first, count),
            target,
            parameters.gradient(worker, NORM));
  }

  private double pieceLossAndGradient(
      int worker, int first, int count, Matrix x, Matrix gradient, Parameters parameters) {
    Matrix logits = logits(worker, first, count, x, parameters);
    double loss = crossEntropy(logits, first);
    logitsBackward(worker, first, logits, parameters);
    normBackward(worker, first, count, x, gradient, parameters);
    return loss;
  }

  /**
   * The logits of the slice's tokens {@code [first, first + count)}, {@code [count, vocabulary]},
   * or those of its columns that this rank has; at most a tile of them.
   */
  public Matrix logits(int worker, int first, int count, Matrix x, Parameters parameters) {
    Matrix normalized = normalizedTile.of(worker, count);
    environment
        .numerics()
        .rows()
        .normalize(
            x.rows(first, first + count),
            parameters.value(NORM),
            normalized,
            inverse.rows(first, first + count));
    Matrix logits = logitsTile.of(worker, count);
    environment.numerics().products().multiply(normalized, parameters.value(WEIGHT), 0, logits);
    return logits;
  }

  private double crossEntropy(Matrix logits, int first) {
    return environment
        .numerics()
        .rows()
        .crossEntropy(logits, environment.input().targets(), first, 1);
  }

  /** Over the tiles in order, so that the sum does not depend on who took which. */
  private double total() {
    return environment.total(losses);
  }
}
