package org.longspan.executors.bench.overlap;

import java.util.Arrays;
import java.util.List;
import java.util.function.Consumer;
import java.util.function.ToDoubleFunction;
import java.util.stream.IntStream;
import org.longspan.executors.bench.Medians;
import org.longspan.executors.bench.RankTimes;
import org.longspan.executors.bench.process.RankBody;
import org.longspan.executors.kernel.AttentionShape;
import org.longspan.parallelism.collective.Communicator;
import org.longspan.parallelism.collective.Pending;
import org.longspan.parallelism.collective.ScanCosts;
import org.longspan.parallelism.collective.ScanDirection;
import org.longspan.parallelism.transport.Transport;

/**
 * A rank that measures its own attention, the scan, and both at once. Rank 0 says a line for each
 * direction: its name, the seconds of attention, of the scan, of both, those waited for the scan
 * after the attention, those that the scan took beside the attention, the share of them that was
 * waited, and those of them for which the attention had no processor; then how the scan travels.
 *
 * <p>Arguments: repetitions, tokens of a rank, heads, head width.
 */
public final class OverlapRank implements RankBody {
  private static final int CHANNEL = 10;
  private static final int WARM_UP = 2;
  private static final int WARM_UP_SCANS = 400;

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
            new OverlapWork(communicator, ScanCosts.measure(communicator), shape, tokens);
        ArrivalWatch arrivals = new ArrivalWatch()) {
      for (ScanDirection direction : ScanDirection.values()) {
        work.prepare(direction);
        // As in the middle of a run, where the scan has been compiled for long.
        for (int scan = 0; scan < WARM_UP_SCANS; scan++) {
          work.startScan(direction).await();
        }
        String line = measure(communicator, work, arrivals, direction, repetitions);
        if (transport.rank() == 0) {
          results.accept(line);
        }
      }
    }
  }

  /** In turns, so that what else the machine does falls on all alike. */
  private static String measure(
      Communicator communicator,
      OverlapWork work,
      ArrivalWatch arrivals,
      ScanDirection direction,
      int repetitions) {
    double[] attention = new double[repetitions];
    double[] scan = new double[repetitions];
    Beside[] beside = new Beside[repetitions];
    for (int repetition = -WARM_UP; repetition < repetitions; repetition++) {
      int place = Math.max(0, repetition);
      communicator.barrier();
      long startedAt = System.nanoTime();
      work.attend(direction, Pending.DONE);
      attention[place] = secondsSince(startedAt);

      communicator.barrier();
      startedAt = System.nanoTime();
      work.startScan(direction).await();
      scan[place] = secondsSince(startedAt);

      communicator.barrier();
      beside[place] =
          Beside.measure(
              arrivals,
              () -> work.startScan(direction),
              travelling -> work.attend(direction, travelling));
    }
    return String.join(
        " ",
        direction.name(),
        slowest(communicator, attention),
        slowest(communicator, scan),
        slowest(communicator, beside, Beside::togetherSeconds),
        slowest(communicator, beside, Beside::waitedSeconds),
        slowest(communicator, beside, Beside::inFlightSeconds),
        slowest(communicator, beside, Beside::waitedShare),
        slowest(communicator, beside, Beside::displacedSeconds),
        work.scanDescription());
  }

  private static double secondsSince(long nanoTime) {
    return (System.nanoTime() - nanoTime) / 1e9;
  }

  private static String slowest(
      Communicator communicator, Beside[] ofRepetition, ToDoubleFunction<Beside> value) {
    return slowest(communicator, Arrays.stream(ofRepetition).mapToDouble(value).toArray());
  }

  /** The median of the repetitions, each by the rank for which it was greatest. */
  private static String slowest(Communicator communicator, double[] ofRepetition) {
    return Double.toString(Medians.of(RankTimes.greatest(communicator, ofRepetition)));
  }
}
