package org.longspan.executors.layer;

import java.util.Arrays;
import java.util.List;
import org.longspan.executors.layer.ParameterShape.Kind;
import org.longspan.executors.memory.Matrix;

/** A row of a table for each token id. */
public final class TokenEmbedding {
  private static final String TABLE = "weight";

  private final RankEnvironment environment;

  public TokenEmbedding(RankEnvironment environment) {
    this.environment = environment;
  }

  /** The parameters of such a layer. */
  public static List<ParameterShape> parameters(int vocabulary, int width) {
    return List.of(new ParameterShape(TABLE, vocabulary, width, Kind.WEIGHT));
  }

  /** {@code out} {@code [tokens, width]}. */
  public void forward(Matrix out, Parameters parameters) {
    environment.leaveLayers();
    int[] tokens = environment.input().tokens();
    environment.forEachTile(
        (worker, first, count) ->
            environment
                .numerics()
                .rows()
                .gather(parameters.value(TABLE), tokens, first, out.rows(first, first + count)));
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
                    Arrays.copyOfRange(environment.input().tokens(), first, first + count),
                    parameters.gradient(worker, TABLE)));
    parameters.finishGradients();
  }
}
