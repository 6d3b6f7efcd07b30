package org.longspan.executors.bench.collective;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.longspan.executors.bench.process.ProcessRanks;
import org.longspan.executors.bench.process.ProcessSettings;
import org.longspan.parallelism.transport.Protection;

/**
 * Measures collectives between processes of this machine: states of 16 and of 64 heads of 128 × 128
 * floats. Scans go through one piece a rank, the replay through 16 of all ranks together.
 */
public final class CollectiveBench {
  /** Heads of the states. */
  public static final List<Integer> HEADS = List.of(CollectiveRank.LEAST_HEADS, 64);

  private static final int HEAP_MEBIBYTES = 128;
  private static final int DIRECT_MEBIBYTES = 1_024;
  private static final Duration TIME_LIMIT = Duration.ofMinutes(2);

  private final int repetitions;
  private final Protection protection;

  /**
   * @param repetitions measured, after a few that are not
   * @param protection of the connections
   */
  public CollectiveBench(int repetitions, Protection protection) {
    this.repetitions = repetitions;
    this.protection = protection;
  }

  /**
   * What was measured with one number of ranks.
   *
   * @param costs from which the predictions follow
   */
  public record OfRanks(LinkCosts costs, List<CollectiveResult> results) {
    public OfRanks {
      results = List.copyOf(results);
    }
  }

  /**
   * Measures with {@code ranks} processes.
   *
   * @param ranks at least 2
   */
  public OfRanks run(int ranks) {
    List<String> arguments = new ArrayList<>();
    arguments.add(Integer.toString(repetitions));
    HEADS.forEach(heads -> arguments.add(heads.toString()));
    ProcessSettings settings =
        new ProcessSettings(ranks, HEAP_MEBIBYTES, DIRECT_MEBIBYTES, TIME_LIMIT, protection);
    List<String> lines = ProcessRanks.run(CollectiveRank.class, arguments, settings).get(0);
    List<Measurement> measured =
        lines.subList(1, lines.size()).stream().map(Measurement::read).toList();
    List<CollectiveResult> results = new ArrayList<>();
    for (Measurement one : measured) {
      double reference =
          measured.stream()
              .filter(other -> other.collective().equals(Trials.REFERENCE))
              .filter(other -> other.stateBytes() == one.stateBytes())
              .mapToDouble(Measurement::seconds)
              .findFirst()
              .orElseThrow();
      results.add(
          new CollectiveResult(
              one.collective(),
              ranks,
              one.stateBytes(),
              one.seconds(),
              one.receivedBytes(),
              one.seconds() / reference,
              one.predictedSeconds(),
              one.description()));
    }
    return new OfRanks(LinkCosts.read(lines.get(0)), results);
  }
}
