package org.longspan.executors.model;

import org.nd4j.linalg.schedule.ISchedule;

/**
 * A learning rate that rises for {@code warmup} steps and then falls along half a cosine to a tenth
 * of {@code peak} at {@code steps} (arXiv 1608.03983).
 */
public record WarmupCosine(double peak, int warmup, int steps) implements ISchedule {
  private static final long serialVersionUID = 1L;
  private static final double FLOOR = 0.1;

  @Override
  public double valueAt(int iteration, int epoch) {
    if (iteration < warmup) {
      return peak * (iteration + 1) / warmup;
    }
    double done = Math.min(1, (iteration - warmup) / Math.max(1.0, steps - warmup));
    return peak * (FLOOR + (1 - FLOOR) * (1 + Math.cos(Math.PI * done)) / 2);
  }

  @Override
  public ISchedule clone() {
    return this;
  }
}
