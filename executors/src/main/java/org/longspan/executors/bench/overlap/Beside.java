package org.longspan.executors.bench.overlap;

import java.util.concurrent.Future;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.longspan.parallelism.collective.Pending;

/**
 * A scan beside other work of the thread that started it, which waits for the scan at some point.
 *
 * @param togetherSeconds until both were done
 * @param waitedSeconds for the scan once what could be done without it was done
 * @param inFlightSeconds of the scan, from its start to its arrival
 * @param displacedSeconds of the flight for which the thread neither computed nor waited
 */
record Beside(
    double togetherSeconds, double waitedSeconds, double inFlightSeconds, double displacedSeconds) {

  /** Starts the scan and gives it to the work, which waits for it once. */
  static Beside measure(ArrivalWatch arrivals, Supplier<Pending> scan, Consumer<Pending> work) {
    long startedAt = System.nanoTime();
    Pending travelling = scan.get();
    Future<ArrivalWatch.Flight> flight = arrivals.watch(travelling, startedAt);
    double[] waited = new double[1];
    work.accept(
        () -> {
          long waitingFrom = System.nanoTime();
          travelling.await();
          waited[0] = secondsSince(waitingFrom);
        });
    double together = secondsSince(startedAt);
    ArrivalWatch.Flight flown = ArrivalWatch.landed(flight);
    return new Beside(
        together,
        waited[0],
        flown.seconds(),
        flown.seconds() - flown.computedSeconds() - waited[0]);
  }

  /** The share of the flight that was waited. */
  double waitedShare() {
    return waitedSeconds / inFlightSeconds;
  }

  private static double secondsSince(long nanoTime) {
    return (System.nanoTime() - nanoTime) / 1e9;
  }
}
