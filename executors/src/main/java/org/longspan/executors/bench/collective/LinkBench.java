package org.longspan.executors.bench.collective;

import java.time.Duration;
import java.util.List;
import org.longspan.executors.bench.process.ProcessRanks;
import org.longspan.executors.bench.process.ProcessSettings;
import org.longspan.parallelism.transport.Protection;

/** Measures the transport between two processes of this machine, and in turns a plain socket. */
public final class LinkBench {
  private static final int HEAP_MEBIBYTES = 128;
  private static final int DIRECT_MEBIBYTES = 512;
  private static final Duration TIME_LIMIT = Duration.ofMinutes(2);

  private LinkBench() {}

  /**
   * The transport's result, then the socket's.
   *
   * @param repetitions measured, after a few that are not
   * @param protection of the transport
   */
  public static List<TransportResult> run(int repetitions, Protection protection) {
    ProcessSettings settings =
        new ProcessSettings(2, HEAP_MEBIBYTES, DIRECT_MEBIBYTES, TIME_LIMIT, protection);
    List<String> arguments = List.of(Integer.toString(repetitions));
    List<String> lines = ProcessRanks.run(TransportRank.class, arguments, settings).get(0);
    double[] own = numbers(lines.get(0));
    double[] plain = numbers(lines.get(1));
    return List.of(
        new TransportResult("transport", protection, own[0], own[1], own[0] / plain[0]),
        new TransportResult("plain-socket", protection, plain[0], plain[1], 1));
  }

  private static double[] numbers(String line) {
    String[] words = line.split(" ", -1);
    return new double[] {Double.parseDouble(words[0]), Double.parseDouble(words[1])};
  }
}
