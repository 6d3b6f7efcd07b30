package org.longspan.executors.bench.overlap;

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
 * direction: its name, the seconds of attention, of the scan, of both, by which these are longer
 * than the attention, and the seconds waited for the scan after the attention; then how the scan
 * travels.
 *
 * <p>Arguments: repetitions, tokens of a rank, heads, head width.
 */
public final class OverlapRank implements RankBody {
  private static final int CHANNEL = 10;
  private static final int WARM_UP = 2;

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
    for (int repetition = -WARM_UP; repetition < repetitions; repetition++) {
      int place = Math.max(0, repetition);
      communicator.barrier();
      long start = System.nanoTime();
      work.attend(direction);
      attention[place] = secondsSince(start);

      communicator.barrier();
      start = System.nanoTime();
      work.startScan(direction).await();
      scan[place] = secondsSince(start);

      communicator.barrier();
      start = System.nanoTime();
      Pending travelling = work.startScan(direction);
      work.attend(direction);
      long attended = System.nanoTime();
      travelling.await();
      waited[place] = secondsSince(attended);
      together[place] = secondsSince(start);
    }
    double[] slowestAttention = RankTimes.greatest(communicator, attention);
    double[] slowestTogether = RankTimes.greatest(communicator, together);
    double[] longer = new double[repetitions];
    for (int repetition = 0; repetition < repetitions; repetition++) {
      longer[repetition] = slowestTogether[repetition] - slowestAttention[repetition];
    }
    return String.join(
        " ",
        direction.name(),
        Double.toString(Medians.of(slowestAttention)),
        Double.toString(Medians.of(RankTimes.greatest(communicator, scan))),
        Double.toString(Medians.of(slowestTogether)),
        Double.toString(Medians.of(longer)),
        Double.toString(Medians.of(RankTimes.greatest(communicator, waited))),
        work.scanDescription());
  }

  private static double secondsSince(long start) {
    return (System.nanoTime() - start) / 1e9;
  }
}
