package org.longspan.executors.layer;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.longspan.executors.memory.Matrix;

/**
 * Each worker adds to gradients of its own, so that none waits for another; they are summed in the
 * workers' order. Worker 0 adds straight into the model's gradient. What other ranks have is summed
 * later, over the whole model at once.
 */
final class WorkerSums implements GradientSums {
  private final RankEnvironment environment;
  private final List<Map<String, Matrix>> ofWorker = new ArrayList<>();

  /**
   * @param results where the model wants the gradients
   */
  WorkerSums(RankEnvironment environment, Map<String, Matrix> results) {
    this.environment = environment;
    ofWorker.add(results);
    for (int worker = 1; worker < environment.workers().threads(); worker++) {
      Map<String, Matrix> own = new LinkedHashMap<>();
      for (Map.Entry<String, Matrix> result : results.entrySet()) {
        Matrix shape = result.getValue();
        // Layers take turns, so they share these.
        own.put(
            result.getKey(),
            environment.shared(
                "gradient " + worker + " " + result.getKey(), shape.rows(), shape.columns()));
      }
      ofWorker.add(own);
    }
  }

  @Override
  public void start() {
    ofWorker.forEach(own -> own.values().forEach(Matrix::zero));
  }

  @Override
  public Matrix of(int worker, String name) {
    return ofWorker.get(worker).get(name);
  }

  @Override
  public void endTile(int worker, int tile) {
    // A worker's tiles add up where they are.
  }

  @Override
  public void finish() {
    for (int worker = 1; worker < ofWorker.size(); worker++) {
      for (Map.Entry<String, Matrix> own : ofWorker.get(worker).entrySet()) {
        environment.numerics().rows().add(own.getValue(), ofWorker.get(0).get(own.getKey()));
      }
    }
  }
}
