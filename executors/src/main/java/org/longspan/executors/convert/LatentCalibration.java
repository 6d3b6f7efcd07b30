package org.longspan.executors.convert;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.longspan.executors.latent.LatentShape;
import org.longspan.executors.latent.LatentWeights;
import org.longspan.executors.layer.LatentWatch;
import org.longspan.executors.memory.Matrix;

/**
 * Gathers the statistics of every latent layer while a model goes through sequences.
 *
 * <p>Threading: as {@link LatentWatch} says.
 */
public final class LatentCalibration implements LatentWatch {
  private final Map<Object, LayerStatistics> statistics = new LinkedHashMap<>();

  @Override
  public void project(Object mixer, LatentShape shape, Matrix normalized, LatentWeights weights) {
    LayerStatistics ofLayer;
    synchronized (statistics) {
      ofLayer = statistics.computeIfAbsent(mixer, any -> new LayerStatistics(shape.rank()));
    }
    ofLayer.add(shape, normalized, weights);
  }

  /** Of each latent layer, in their order. */
  public List<LayerStatistics> statistics() {
    synchronized (statistics) {
      return new ArrayList<>(statistics.values());
    }
  }
}
