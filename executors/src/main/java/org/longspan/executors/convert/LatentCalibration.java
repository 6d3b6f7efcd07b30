package org.longspan.executors.convert;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.longspan.executors.layer.LatentWatch;
import org.longspan.executors.memory.Matrix;

/**
 * Gathers the second moment of every latent layer while a model goes through sequences.
 *
 * <p>Threading: as {@link LatentWatch} says.
 */
public final class LatentCalibration implements LatentWatch {
  private final Map<Object, SecondMoment> moments = new LinkedHashMap<>();

  @Override
  public void project(Object mixer, Matrix normalized, Matrix latentDown) {
    SecondMoment moment;
    synchronized (moments) {
      moment = moments.computeIfAbsent(mixer, any -> new SecondMoment(latentDown.columns()));
    }
    moment.add(normalized, latentDown);
  }

  /** Of each latent layer, in their order. */
  public List<SecondMoment> moments() {
    synchronized (moments) {
      return new ArrayList<>(moments.values());
    }
  }
}
