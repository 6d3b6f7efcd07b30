package org.longspan.executors.bench;

import org.longspan.executors.layer.RankEnvironment;
import org.longspan.executors.math.Products;
import org.longspan.executors.memory.Arena;
import org.longspan.executors.memory.Matrix;
import org.longspan.executors.model.ModelShape;

/**
 * The matrix products of a training step of lightning blocks, and nothing else: tile by tile, as
 * the layers do them.
 */
final class StepProducts implements AutoCloseable {
  private final RankEnvironment environment;
  private final ModelShape shape;
  private final Arena arena;
  private final Matrix wide;
  private final Matrix other;
  private final Matrix[] weights;
  private final Matrix[][] weightGradients;
  private final int[][] sides;

  StepProducts(RankEnvironment environment, ModelShape shape) {
    this.environment = environment;
    this.shape = shape;
    int width = shape.width();
    // In and out: queries to gate, output, up, down, and once the vocabulary.
    this.sides =
        new int[][] {
          {width, 4 * width},
          {width, width},
          {width, 2 * shape.feedForward()},
          {shape.feedForward(), width},
          {width, shape.vocabulary()}
        };
    int widest = Math.max(4 * width, Math.max(2 * shape.feedForward(), shape.vocabulary()));
    this.arena = new Arena("of the products", environment.numerics().precision());
    this.wide = arena.matrix(environment.capacity(), widest);
    this.other = arena.matrix(environment.capacity(), widest);
    int threads = environment.workers().threads();
    this.weights = new Matrix[sides.length];
    this.weightGradients = new Matrix[threads][sides.length];
    for (int i = 0; i < sides.length; i++) {
      weights[i] = arena.matrix(sides[i][0], sides[i][1]);
      for (int worker = 0; worker < threads; worker++) {
        weightGradients[worker][i] = arena.matrix(sides[i][0], sides[i][1]);
      }
    }
  }

  /** Multiplications and additions in {@link #run}. */
  double operations(int tokens) {
    double perToken = 0;
    for (int i = 0; i < sides.length; i++) {
      perToken += repeats(i) * 6.0 * sides[i][0] * sides[i][1];
    }
    return perToken * tokens;
  }

  private int repeats(int product) {
    return product == sides.length - 1 ? 1 : shape.layers();
  }

  /** Forward, and the two of the backward, of each product. */
  void run(int tokens) {
    Products products = environment.numerics().products();
    for (int i = 0; i < sides.length; i++) {
      int product = i;
      for (int repeat = 0; repeat < repeats(i); repeat++) {
        environment.forEachTile(
            tokens,
            environment.tile(),
            (worker, first, rows) -> {
              Matrix in = wide.rows(first, first + rows).columns(0, sides[product][0]);
              Matrix out = other.rows(first, first + rows).columns(0, sides[product][1]);
              products.multiply(in, weights[product], 0, out);
              products.transposedMultiply(in, out, 1, weightGradients[worker][product]);
              products.multiplyTransposed(out, weights[product], 0, in);
            });
      }
    }
  }

  @Override
  public void close() {
    arena.close();
  }
}
