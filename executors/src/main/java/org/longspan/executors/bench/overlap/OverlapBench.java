package org.longspan.executors.bench.overlap;

import java.time.Duration;
import java.util.List;
import java.util.function.Consumer;
import org.longspan.executors.bench.process.ProcessRanks;
import org.longspan.executors.bench.process.ProcessSettings;
import org.longspan.executors.kernel.AttentionShape;
import org.longspan.parallelism.collective.ScanDirection;
import org.longspan.parallelism.transport.Protection;

/**
 * Measures which share of a scan's time is hidden behind the attention of the ranks themselves: two
 * processes with one thread each, lightning attention of 4 heads of 64 and of 16 heads of 128.
 */
public final class OverlapBench {
  private static final int RANKS = 2;
  private static final List<AttentionShape> SHAPES =
      List.of(new AttentionShape(4, 64, 64), new AttentionShape(16, 128, 128));
  private static final int HEAP_MEBIBYTES = 256;
  private static final int DIRECT_MEBIBYTES = 4_096;
  private static final Duration TIME_LIMIT = Duration.ofMinutes(2);
  private static final int WORDS = 9;

  private final int tokens;
  private final int repetitions;
  private final Protection protection;

  /**
   * @param tokens of each rank
   * @param repetitions measured, after a few that are not
   * @param protection of the connection
   */
  public OverlapBench(int tokens, int repetitions, Protection protection) {
    this.tokens = tokens;
    this.repetitions = repetitions;
    this.protection = protection;
  }

  /**
   * What was measured in one direction; each time is that of the slower rank, the median of the
   * repetitions.
   *
   * @param tokens of each rank
   * @param localSeconds of the attention with a state that has come already
   * @param scanSeconds of the scan alone
   * @param togetherSeconds of the attention with the scan in flight, until both were done
   * @param waitedSeconds for the scan once the attention could not go on without it
   * @param inFlightSeconds of the scan beside the attention, from its start to its arrival
   * @param waitedShare of {@code inFlightSeconds} for which the rank had no attention to do and
   *     waited
   * @param displacedSeconds of {@code inFlightSeconds} for which the rank had attention to do and
   *     no processor for it: the scan's own work (encryption, copies, the recurrence) or another
   *     program had it. No order of work hides these
   * @param scan how the state travels
   */
  public record Result(
      ScanDirection direction,
      int tokens,
      AttentionShape shape,
      double localSeconds,
      double scanSeconds,
      double togetherSeconds,
      double waitedSeconds,
      double inFlightSeconds,
      double waitedShare,
      double displacedSeconds,
      String scan) {

    /**
     * By how much the attention took longer until both were done than alone, by the clock; below 0
     * where that is noise.
     */
    public double addedSeconds() {
      return togetherSeconds - localSeconds;
    }

    /** Share of the scan's time, beside the attention, for which the rank did not wait; 0 to 1. */
    public double hiddenShare() {
      return Math.min(1, Math.max(0, 1 - waitedShare));
    }
  }

  /** Measures, and gives each result as soon as it is there. */
  public void run(Consumer<Result> results) {
    for (AttentionShape shape : SHAPES) {
      List<String> arguments =
          List.of(
              Integer.toString(repetitions),
              Integer.toString(tokens),
              Integer.toString(shape.heads()),
              Integer.toString(shape.keyWidth()));
      ProcessSettings settings =
          new ProcessSettings(RANKS, HEAP_MEBIBYTES, DIRECT_MEBIBYTES, TIME_LIMIT, protection);
      List<String> lines = ProcessRanks.run(OverlapRank.class, arguments, settings).get(0);
      lines.forEach(line -> results.accept(read(shape, line)));
    }
  }

  private Result read(AttentionShape shape, String line) {
    String[] words = line.split(" ", WORDS);
    return new Result(
        ScanDirection.valueOf(words[0]),
        tokens,
        shape,
        Double.parseDouble(words[1]),
        Double.parseDouble(words[2]),
        Double.parseDouble(words[3]),
        Double.parseDouble(words[4]),
        Double.parseDouble(words[5]),
        Double.parseDouble(words[6]),
        Double.parseDouble(words[7]),
        words[8]);
  }
}
