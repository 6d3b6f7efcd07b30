package org.longspan.executors.bench.kernel;

import java.util.function.DoubleSupplier;
import org.longspan.executors.kernel.Workers;
import org.longspan.executors.vector.FloatMultiplyAdd;

/** Measures the {@link ComputeRates} of this machine's processor, all workers at once. */
final class ProcessorProbe {
  private static final int REPETITIONS = 9;
  private static final int STEPS = 4_000_000;
  private static final int NUMBERS = 1 << 24;

  private ProcessorProbe() {}

  static ComputeRates of(Workers workers) {
    int threads = workers.threads();
    float[] results = new float[threads];
    double seconds =
        best(
            () ->
                seconds(
                    () ->
                        workers.forEach(
                            threads,
                            i -> results[i] = FloatMultiplyAdd.run(0.999f, 0.001f, STEPS))));
    double operations = threads * FloatMultiplyAdd.operations(STEPS) / seconds;
    float[] from = new float[NUMBERS];
    float[] to = new float[NUMBERS];
    int share = NUMBERS / threads;
    double copied =
        best(
            () ->
                seconds(
                    () ->
                        workers.forEach(
                            threads,
                            i -> System.arraycopy(from, i * share, to, i * share, share))));
    return new ComputeRates(operations, 2.0 * Float.BYTES * share * threads / copied);
  }

  /** The least of several, since what disturbs only ever slows. */
  private static double best(DoubleSupplier measurement) {
    double best = Double.POSITIVE_INFINITY;
    for (int i = 0; i < REPETITIONS; i++) {
      best = Math.min(best, measurement.getAsDouble());
    }
    return best;
  }

  private static double seconds(Runnable work) {
    long before = System.nanoTime();
    work.run();
    return (System.nanoTime() - before) / 1e9;
  }
}
