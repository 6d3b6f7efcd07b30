package org.longspan.executors.bench.overlap;

import java.lang.management.ManagementFactory;
import java.lang.management.ThreadMXBean;
import java.util.List;
import java.util.function.Consumer;
import java.util.stream.IntStream;
import org.longspan.executors.bench.Medians;
import org.longspan.executors.bench.RankTimes;
import org.longspan.executors.bench.process.RankBody;
import org.longspan.executors.kernel.AttentionShape;
import org.longspan.parallelism.collective.Communicator;
import org.longspan.parallelism.collective.LinkQuality;
import org.longspan.parallelism.collective.Pending;
import org.longspan.parallelism.collective.ScanDirection;
import org.longspan.parallelism.transport.Transport;

/**
 * A rank that measures its own attention, the scan, and both at once. Rank 0 says a line for each
 * direction: its name, the seconds of attention, of the scan, of both, those waited for the scan
 * after the attention, and those for which the attention's thread stood still because of it; then
 * how the scan travels.
 *
 * <p>Arguments: repetitions, tokens of a rank, heads, head width.
 */
public final class OverlapRank implements RankBody {
  private static final int CHANNEL = 10;
  private static final int WARM_UP = 2;
  private static final int WARM_UP_SCANS = 400;
  private static final ThreadMXBean THREADS = ManagementFactory.getThreadMXBean();

  @Override
  public void run(Transport transport, List<String> arguments, Consumer<String> results) {
    int repetitions = Integer.parseInt(arguments.get(0));
    int tokens = Integer.parseInt(arguments.get(1));
    int headWidth = Integer.parseInt(arguments.get(3));
    AttentionShape shape =
        new AttentionShape(Integer.parseInt(arguments.get(2)), headWidth, headWidth);
    List<Integer> everyone = IntStream.range(0, transport.size()).boxed().toList();
    try (Communicator communicator = Communicator.over(transport, everyone, CHANNEL);
        OverlapWork work =
            new OverlapWork(communicator, LinkQuality.measure(communicator), shape, tokens)) {
      for (ScanDirection direction : ScanDirection.values()) {
        work.prepare(direction);
        // As in the middle of a run, where the scan has been compiled for long.
        for (int scan = 0; scan < WARM_UP_SCANS; scan++) {
          work.startScan(direction).await();
        }
        String line = measure(communicator, work, direction, repetitions);
        if (transport.rank() == 0) {
          results.accept(line);
        }
      }
    }
  }

  /** In turns, so that what else the machine does falls on all alike. */
  private static String measure(
      Communicator communicator, OverlapWork work, ScanDirection direction, int repetitions) {
    double[] attention = new double[repetitions];
    double[] scan = new double[repetitions];
    double[] together = new double[repetitions];
    double[] waited = new double[repetitions];
    double[] stoodStill = new double[repetitions];
    for (int repetition = -WARM_UP; repetition < repetitions; repetition++) {
      int place = Math.max(0, repetition);
      communicator.barrier();
      Stopwatch watch = Stopwatch.start();
      work.attend(direction);
      attention[place] = watch.seconds();
      double stillAlone = watch.stillSeconds();

      communicator.barrier();
      watch = Stopwatch.start();
      work.startScan(direction).await();
      scan[place] = watch.seconds();

      communicator.barrier();
      watch = Stopwatch.start();
      Pending travelling = work.startScan(direction);
      work.attend(direction);
      double attended = watch.seconds();
      travelling.await();
      together[place] = watch.seconds();
      waited[place] = together[place] - attended;
      stoodStill[place] = watch.stillSeconds() - stillAlone;
    }
    return String.join(
        " ",
        direction.name(),
        slowest(communicator, attention),
        slowest(communicator, scan),
        slowest(communicator, together),
        slowest(communicator, waited),
        slowest(communicator, stoodStill),
        work.scanDescription());
  }

  /** The median of the repetitions, each by the rank that was slowest in it. */
  private static String slowest(Communicator communicator, double[] seconds) {
    return Double.toString(Medians.of(RankTimes.greatest(communicator, seconds)));
  }

  /** Counts this thread's time, and the part of it for which it had no processor. */
  private record Stopwatch(long startedAt, long processorBefore) {
    static Stopwatch start() {
      return new Stopwatch(System.nanoTime(), THREADS.getCurrentThreadCpuTime());
    }

    double seconds() {
      return (System.nanoTime() - startedAt) / 1e9;
    }

    double stillSeconds() {
      return seconds() - (THREADS.getCurrentThreadCpuTime() - processorBefore) / 1e9;
    }
  }
}
