package org.longspan.executors.bench.overlap;

import static org.assertj.core.api.Assertions.assertThat;

import java.lang.management.ManagementFactory;
import java.lang.management.ThreadMXBean;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Future;
import org.junit.jupiter.api.Test;
import org.longspan.executors.kernel.AttentionShape;
import org.longspan.parallelism.collective.Pending;
import org.longspan.parallelism.collective.ScanDirection;
import org.longspan.parallelism.transport.Protection;

class OverlapBenchTest {
  @Test
  void shouldMeasureBothShapesInBothDirections() {
    List<OverlapBench.Result> results = new ArrayList<>();
    new OverlapBench(128, 1, Protection.AUTHENTICATED).run(results::add);
    assertThat(results)
        .extracting(OverlapBench.Result::direction)
        .containsExactly(
            ScanDirection.FORWARD,
            ScanDirection.BACKWARD,
            ScanDirection.FORWARD,
            ScanDirection.BACKWARD);
    assertThat(results)
        .allSatisfy(
            result -> {
              assertThat(result.localSeconds()).isPositive();
              assertThat(result.scanSeconds()).isPositive();
              assertThat(result.waitedSeconds()).isPositive();
              assertThat(result.inFlightSeconds()).isPositive();
              assertThat(result.waitedShare()).isPositive();
              assertThat(result.hiddenShare()).isBetween(0.0, 1.0);
            });
  }

  @Test
  void shouldTakeForWaitedWhatIsLeftOfAScanOnceTheWorkIsDone() {
    try (ArrivalWatch watch = new ArrivalWatch()) {
      long start = System.nanoTime();
      Beside beside =
          Beside.measure(
              watch,
              () -> () -> sleepUntil(start + 400_000_000),
              travelling -> workThenWait(100, travelling));
      assertThat(beside.inFlightSeconds()).isGreaterThan(0.39);
      assertThat(beside.togetherSeconds()).isGreaterThan(0.39);
      assertThat(beside.waitedSeconds()).isBetween(0.1, beside.togetherSeconds() - 0.099);
      assertThat(beside.waitedShare()).isEqualTo(beside.waitedSeconds() / beside.inFlightSeconds());
      // While it slept this thread neither computed nor waited.
      assertThat(beside.displacedSeconds()).isGreaterThan(0.08);
    }
  }

  @Test
  void shouldWaitForNothingThatArrivesWhileItWorks() {
    try (ArrivalWatch watch = new ArrivalWatch()) {
      long start = System.nanoTime();
      Beside beside =
          Beside.measure(
              watch,
              () -> () -> sleepUntil(start + 50_000_000),
              travelling -> workThenWait(400, travelling));
      assertThat(beside.togetherSeconds()).isGreaterThan(0.39);
      assertThat(beside.waitedShare()).isLessThan(0.5);
    }
  }

  private static void sleepUntil(long nanoTime) {
    while (System.nanoTime() < nanoTime) {
      sleep(1);
    }
  }

  private static void workThenWait(long milliseconds, Pending travelling) {
    sleep(milliseconds);
    travelling.await();
  }

  private static void sleep(long milliseconds) {
    try {
      Thread.sleep(milliseconds);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  @Test
  void shouldHideWhatIsNotWaitedFor() {
    assertThat(result(0.25).hiddenShare()).isEqualTo(0.75);
    assertThat(result(0).hiddenShare()).isEqualTo(1);
    assertThat(result(-0.01).hiddenShare()).isEqualTo(1);
  }

  @Test
  void shouldCountOnlyWhatTheWatchedThreadComputesUntilTheScanArrives() throws Exception {
    CountDownLatch arrival = new CountDownLatch(1);
    try (ArrivalWatch watch = new ArrivalWatch()) {
      long startedAt = System.nanoTime();
      Future<ArrivalWatch.Flight> flight =
          watch.watch(() -> awaitUninterrupted(arrival), startedAt);
      Thread.sleep(200);
      arrival.countDown();
      ArrivalWatch.Flight landed = ArrivalWatch.landed(flight);
      assertThat(landed.seconds()).isGreaterThanOrEqualTo(0.2);
      // This thread slept: of the flight it computed next to nothing.
      assertThat(landed.computedSeconds()).isBetween(0.0, landed.seconds() / 2);
    }
  }

  @Test
  void shouldCountWhatTheWatchedThreadComputes() {
    CountDownLatch arrival = new CountDownLatch(1);
    ThreadMXBean threads = ManagementFactory.getThreadMXBean();
    try (ArrivalWatch watch = new ArrivalWatch()) {
      Future<ArrivalWatch.Flight> flight =
          watch.watch(() -> awaitUninterrupted(arrival), System.nanoTime());
      long until = threads.getCurrentThreadCpuTime() + 100_000_000;
      while (threads.getCurrentThreadCpuTime() < until) {
        Thread.onSpinWait();
      }
      arrival.countDown();
      assertThat(ArrivalWatch.landed(flight).computedSeconds()).isGreaterThanOrEqualTo(0.1);
    }
  }

  private static void awaitUninterrupted(CountDownLatch latch) {
    try {
      latch.await();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private static OverlapBench.Result result(double waitedShare) {
    return new OverlapBench.Result(
        ScanDirection.FORWARD,
        128,
        new AttentionShape(1, 8, 8),
        1,
        0.1,
        1,
        0,
        0.1,
        waitedShare,
        0,
        "chain");
  }
}
