package org.longspan.executors.bench.kernel;

/**
 * What arithmetic and memory reach at best.
 *
 * @param operationsPerSecond float multiplications and additions, in pairs, without memory
 * @param copiedBytesPerSecond bytes read plus bytes written by a plain copy
 */
public record ComputeRates(double operationsPerSecond, double copiedBytesPerSecond) {

  /** Seconds that no kernel of so many operations and bytes stays under. */
  public double floorSeconds(double operations, double bytes) {
    return Math.max(operations / operationsPerSecond, bytes / copiedBytesPerSecond);
  }

  /** The better of each. */
  ComputeRates orBetter(ComputeRates other) {
    return new ComputeRates(
        Math.max(operationsPerSecond, other.operationsPerSecond),
        Math.max(copiedBytesPerSecond, other.copiedBytesPerSecond));
  }
}
