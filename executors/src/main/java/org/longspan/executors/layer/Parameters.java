package org.longspan.executors.layer;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.longspan.executors.memory.Matrix;

/**
 * A layer's parameters and their gradients.
 *
 * <p>Threading: {@link #gradient} from any worker; the rest from the rank's own thread.
 */
public final class Parameters {
  private final Map<String, Matrix> values = new LinkedHashMap<>();
  private final Map<String, Matrix> results = new LinkedHashMap<>();
  private final RankEnvironment environment;
  private final GradientSums sums;

  /**
   * @param values a matrix for each shape, in order
   * @param gradients likewise: where the model wants the gradients
   */
  public Parameters(
      RankEnvironment environment,
      List<ParameterShape> shapes,
      List<Matrix> values,
      List<Matrix> gradients) {
    this.environment = environment;
    for (int i = 0; i < shapes.size(); i++) {
      this.values.put(shapes.get(i).name(), values.get(i));
      results.put(shapes.get(i).name(), gradients.get(i));
    }
    this.sums =
        switch (environment.mode().reproducibility()) {
          case FAST -> new WorkerSums(environment, results);
          case BITWISE -> new BlockSums(environment, results);
        };
  }

  /** The parameter {@code name}. */
  public Matrix value(String name) {
    return values.get(name);
  }

  /** The gradient of {@code name}, after {@link #finishGradients}. */
  public Matrix gradient(String name) {
    return results.get(name);
  }

  /** Where {@code worker} adds the gradient of {@code name}. */
  public Matrix gradient(int worker, String name) {
    return sums.of(worker, name);
  }

  /** Sets all gradients to zero. */
  public void startGradients() {
    sums.start();
  }

  /** Takes every tile of the slice, with work that adds to gradients. */
  public void forEachTile(RankEnvironment.TileWork work) {
    environment.forEachTile(endingTiles(work));
  }

  /** Likewise through stages, of which no two add to the same gradient. */
  void forEachTile(List<Stage> stages) {
    environment.forEachTile(
        stages.stream()
            .map(stage -> new Stage(endingTiles(stage.work()), stage.summed()))
            .toList());
  }

  private RankEnvironment.TileWork endingTiles(RankEnvironment.TileWork work) {
    return (worker, first, count) -> {
      work.accept(worker, first, count);
      endTile(worker, first);
    };
  }

  /** {@code worker} has done its work on the tile that starts at {@code first}. */
  void endTile(int worker, int first) {
    sums.endTile(worker, first / environment.tile());
  }

  /**
   * Sums the gradients over the slice; where results must not depend on the number of ranks, over
   * the whole sequence.
   */
  public void finishGradients() {
    sums.finish();
  }
}
