package org.longspan.executors.bench.overlap;

import java.util.concurrent.Future;
import java.util.function.Supplier;
import org.longspan.parallelism.collective.Pending;

/**
 * A scan beside other work of the thread that started it.
 *
 * @param togetherSeconds until both were done
 * @param waitedSeconds for the scan once the work was done
 * @param inFlightSeconds of the scan, from its start to its arrival
 * @param displacedSeconds of the flight for which the thread neither computed nor waited
 */
record Beside(
    double togetherSeconds, double waitedSeconds, double inFlightSeconds, double displacedSeconds) {

  /** Starts the scan, works, and waits for what is left of it. */
  static Beside measure(ArrivalWatch arrivals, Supplier<Pending> scan, Runnable work) {
    long startedAt = System.nanoTime();
    Pending travelling = scan.get();
    Future<ArrivalWatch.Flight> flight = arrivals.watch(travelling, startedAt);
    work.run();
    double worked = secondsSince(startedAt);
    travelling.await();
    double together = secondsSince(startedAt);
    double waited = together - worked;
    ArrivalWatch.Flight flown = ArrivalWatch.landed(flight);
    return new Beside(
        together, waited, flown.seconds(), flown.seconds() - flown.computedSeconds() - waited);
  }

  /** The share of the flight that was waited. */
  double waitedShare() {
    return waitedSeconds / inFlightSeconds;
  }

  private static double secondsSince(long nanoTime) {
    return (System.nanoTime() - nanoTime) / 1e9;
  }
}
