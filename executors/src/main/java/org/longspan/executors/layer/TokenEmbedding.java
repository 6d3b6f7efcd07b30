package org.longspan.executors.layer;

import java.util.List;
import org.longspan.executors.layer.ParameterShape.Kind;
import org.longspan.executors.memory.Matrix;

/**
 * A row of a table for each token id. Each tensor rank holds the rows of some ids; a rank receives
 * {@code 2(T−1)/T · n} bytes in the forward, n those of the output, T the tensor ranks, and nothing
 * in the backward.
 */
public final class TokenEmbedding {
  private static final String TABLE = "weight";

  private final RankEnvironment environment;
  private final int vocabulary;
  private final Span ids;

  public TokenEmbedding(RankEnvironment environment, int vocabulary) {
    this.environment = environment;
    this.vocabulary = vocabulary;
    this.ids = environment.place().share(vocabulary);
  }

  /** The parameters of such a layer, as a rank at {@code place} holds them. */
  public static List<ParameterShape> parameters(int vocabulary, int width, TensorPlace place) {
    return List.of(
        new ParameterShape(
            TABLE, Side.some(vocabulary, place.share(vocabulary)), Side.all(width), Kind.WEIGHT));
  }

  /** The rows of this rank's table for some tokens; −1 where another rank has a token's. */
  private int[] rows(int first, int count) {
    int[] rows = new int[count];
    for (int t = 0; t < count; t++) {
      int id = environment.input().tokens()[first + t];
      if (id < 0 || id >= vocabulary) {
        throw new IllegalArgumentException("Token " + id + " of a vocabulary of " + vocabulary);
      }
      rows[t] = id < ids.from() || id >= ids.to() ? -1 : id - ids.from();
    }
    return rows;
  }

  /** {@code out} {@code [tokens, width]}. */
  public void forward(Matrix out, Parameters parameters) {
    environment.leaveLayers();
    environment.forEachTile(
        List.of(
            Stage.summing(
                out,
                (worker, first, count) ->
                    environment
                        .numerics()
                        .rows()
                        .gather(
                            parameters.value(TABLE),
                            rows(first, count),
                            0,
                            out.rows(first, first + count)))));
  }

  /** The table's gradient from that of the output. */
  public void backward(Matrix gradient, Parameters parameters) {
    environment.leaveLayers();
    parameters.startGradients();
    parameters.forEachTile(
        (worker, first, count) ->
            environment
                .numerics()
                .rows()
                .scatterAdd(
                    gradient.rows(first, first + count),
                    rows(first, count),
                    parameters.gradient(worker, TABLE)));
    parameters.finishGradients();
  }
}
