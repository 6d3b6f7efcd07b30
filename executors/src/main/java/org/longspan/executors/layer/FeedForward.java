package org.longspan.executors.layer;

import java.util.List;
import org.longspan.executors.layer.ParameterShape.Kind;
import org.longspan.executors.math.Numerics;
import org.longspan.executors.memory.Matrix;

/**
 * SwiGLU (arXiv 2002.05202): {@code down(silu(gate(x)) · value(x))}, {@code [gate | value]} by one
 * product. Each tensor rank has some of the hidden columns; what it gives is its part of a sum.
 */
final class FeedForward {
  private static final String UP = "feed-forward.up";
  private static final String DOWN = "feed-forward.down";

  private final RankEnvironment environment;
  private final Matrix raised;
  private final TileScratch hiddenTile;
  private final TileScratch upGradientTile;

  /**
   * @param wholeHidden columns of the hidden rows over all tensor ranks
   */
  FeedForward(RankEnvironment environment, int wholeHidden) {
    this.environment = environment;
    int hidden = environment.place().share(wholeHidden).length();
    this.raised = environment.kept("raised", environment.capacity(), 2 * hidden);
    this.hiddenTile = environment.tileScratch("hidden", hidden);
    this.upGradientTile = environment.tileScratch("up gradient", 2 * hidden);
  }

  /** The parameters of such a layer, as a rank at {@code place} holds them. */
  static List<ParameterShape> parameters(int width, int hidden, TensorPlace place) {
    Span own = place.share(hidden);
    Side up = Side.some(2 * hidden, own, own.shifted(hidden));
    return List.of(
        new ParameterShape(UP, Side.all(width), up, Kind.WEIGHT),
        new ParameterShape(DOWN, Side.some(hidden, own), Side.all(width), Kind.WEIGHT));
  }

  /** Adds to {@code stream} what the tile at {@code first} gives. */
  void forward(int worker, int first, Matrix normalized, Matrix stream, Parameters parameters) {
    Numerics numerics = environment.numerics();
    raise(first, normalized, parameters);
    Matrix gated = hiddenTile.of(worker, normalized.rows());
    numerics.rows().swiglu(raised.rows(first, first + normalized.rows()), gated);
    numerics.products().multiply(gated, parameters.value(DOWN), 1, stream);
  }

  /** What the backward needs of the forward of the tile at {@code first}. */
  void raise(int first, Matrix normalized, Parameters parameters) {
    environment
        .numerics()
        .products()
        .multiply(
            normalized, parameters.value(UP), 0, raised.rows(first, first + normalized.rows()));
  }

  /** {@code normalizedGradient} (overwritten); adds to the gradients of its weights. */
  void backward(
      int worker,
      int first,
      Matrix normalized,
      Matrix streamGradient,
      Matrix normalizedGradient,
      Parameters parameters) {
    Numerics numerics = environment.numerics();
    long rows = normalized.rows();
    Matrix up = raised.rows(first, first + rows);
    Matrix gated = hiddenTile.of(worker, rows);
    numerics.rows().swiglu(up, gated);
    numerics
        .products()
        .transposedMultiply(gated, streamGradient, 1, parameters.gradient(worker, DOWN));
    Matrix gatedGradient = gated;
    numerics
        .products()
        .multiplyTransposed(streamGradient, parameters.value(DOWN), 0, gatedGradient);
    Matrix upGradient = upGradientTile.of(worker, rows);
    numerics.rows().swigluGradient(up, gatedGradient, upGradient);
    numerics
        .products()
        .transposedMultiply(normalized, upGradient, 1, parameters.gradient(worker, UP));
    numerics.products().multiplyTransposed(upGradient, parameters.value(UP), 0, normalizedGradient);
  }
}
