package org.longspan.executors.layer;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.longspan.executors.memory.Matrix;

/**
 * A layer's parameters and their gradients. Each worker adds to gradients of its own, so that none
 * waits for another; they are summed in the workers' order, so that the sum is the same every time.
 * Worker 0 adds straight into the model's gradient.
 *
 * <p>Threading: {@link #gradient} from any worker; the rest from the rank's own thread.
 */
public final class Parameters {
  private final Map<String, Matrix> values = new LinkedHashMap<>();
  private final List<Map<String, Matrix>> gradients;
  private final RankEnvironment environment;

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
    Map<String, Matrix> first = new LinkedHashMap<>();
    for (int i = 0; i < shapes.size(); i++) {
      this.values.put(shapes.get(i).name(), values.get(i));
      first.put(shapes.get(i).name(), gradients.get(i));
    }
    this.gradients = new java.util.ArrayList<>();
    this.gradients.add(first);
    for (int worker = 1; worker < environment.workers().threads(); worker++) {
      Map<String, Matrix> own = new LinkedHashMap<>();
      for (ParameterShape shape : shapes) {
        // Layers take turns, so they share these.
        own.put(
            shape.name(),
            environment.shared(
                "gradient " + worker + " " + shape.name(), shape.rows(), shape.columns()));
      }
      this.gradients.add(own);
    }
  }

  /** The parameter {@code name}. */
  public Matrix value(String name) {
    return values.get(name);
  }

  /** Where {@code worker} adds the gradient of {@code name}. */
  public Matrix gradient(int worker, String name) {
    return gradients.get(worker).get(name);
  }

  /** Sets all gradients to zero. */
  public void startGradients() {
    gradients.forEach(own -> own.values().forEach(Matrix::zero));
  }

  /** Adds every worker's gradients to worker 0's, in order. */
  public void finishGradients() {
    for (int worker = 1; worker < gradients.size(); worker++) {
      for (Map.Entry<String, Matrix> own : gradients.get(worker).entrySet()) {
        environment.numerics().rows().add(own.getValue(), gradients.get(0).get(own.getKey()));
      }
    }
  }
}
