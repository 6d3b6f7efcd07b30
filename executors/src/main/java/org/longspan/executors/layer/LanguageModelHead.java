package org.longspan.executors.layer;

import java.util.List;
import org.longspan.executors.layer.ParameterShape.Kind;
import org.longspan.executors.math.Numerics;
import org.longspan.executors.memory.Matrix;

/**
 * Final RMSNorm, product with the vocabulary, softmax cross-entropy. Logits exist for a few tokens
 * at a time only, and a target is an index, never a one-hot row.
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
  private final TileScratch normalizedGradientTile;
  private final TileScratch logitsTile;

  public LanguageModelHead(RankEnvironment environment, int vocabulary, int width) {
    this.environment = environment;
    this.piece = Math.max(1, Math.min(environment.tile(), LOGITS_AT_ONCE / vocabulary));
    this.inverse = environment.shared("head inverse", environment.capacity(), 1);
    this.losses = new double[environment.capacity() / environment.tile() + 1];
    this.normalizedTile = environment.tileScratch("normalized", width);
    this.normalizedGradientTile = environment.tileScratch("normalized gradient", width);
    this.logitsTile = environment.tileScratch("logits", piece, vocabulary);
  }

  /** The parameters of such a layer. */
  public static List<ParameterShape> parameters(int vocabulary, int width) {
    return List.of(
        new ParameterShape(NORM, 1, width, Kind.GAIN),
        new ParameterShape(WEIGHT, width, vocabulary, Kind.WEIGHT));
  }

  /** The sum of the losses of the slice's predicted tokens, in nats. */
  public double loss(Matrix x, Parameters parameters) {
    environment.leaveLayers();
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

  private double pieceLossAndGradient(
      int worker, int first, int count, Matrix x, Matrix gradient, Parameters parameters) {
    Numerics numerics = environment.numerics();
    Matrix logits = logits(worker, first, count, x, parameters);
    double loss = crossEntropy(logits, first);
    Matrix normalized = normalizedTile.of(worker, count);
    numerics
        .products()
        .transposedMultiply(normalized, logits, 1, parameters.gradient(worker, WEIGHT));
    Matrix normalizedGradient = normalizedGradientTile.of(worker, count);
    numerics.products().multiplyTransposed(logits, parameters.value(WEIGHT), 0, normalizedGradient);
    Matrix target = gradient.rows(first, first + count);
    target.zero();
    numerics
        .rows()
        .normalizeGradient(
            x.rows(first, first + count),
            parameters.value(NORM),
            inverse.rows(first, first + count),
            normalizedGradient,
            target,
            parameters.gradient(worker, NORM));
    return loss;
  }

  /**
   * The logits of the slice's tokens {@code [first, first + count)}, {@code [count, vocabulary]};
   * at most a tile of them.
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
