package org.longspan.jobs;

import java.io.PrintStream;
import java.util.Locale;
import org.longspan.executors.bench.collective.CollectiveResult;
import org.longspan.executors.bench.collective.LinkCosts;
import org.longspan.executors.bench.collective.Prediction;
import org.longspan.executors.bench.collective.TransportResult;
import org.longspan.parallelism.transport.Protection;

/** Prints for people what {@code bench collectives} measures. */
record CollectiveTable(PrintStream out, Protection protection) {

  /** Before the collectives of a number of ranks. */
  void header(int count, LinkCosts costs) {
    out.printf(
        Locale.ROOT,
        "%d processes on %d processors, %s; link %.0f µs, %.2f GB/s;"
            + " processor time %.2f ns a byte, %.0f µs a message, %.2f ns a byte folded%n"
            + "collective       state MiB   median ms   received MiB   of all-gather"
            + "   predicted ms%n",
        count,
        costs.processors(),
        name(protection),
        costs.link().latencySeconds() * 1e6,
        costs.link().bytesPerSecond() / 1e9,
        costs.processorSecondsPerByte() * 1e9,
        costs.processorSecondsPerMessage() * 1e6,
        costs.foldSecondsPerByte() * 1e9);
  }

  void row(CollectiveResult result) {
    out.printf(
        Locale.ROOT,
        "%-14s   %9.0f   %9.2f   %12.2f   %13.2f   %12.2f   %s%n",
        result.collective(),
        mebibytes(result.stateBytes()),
        result.medianSeconds() * 1e3,
        mebibytes(result.receivedBytes()),
        result.ratio(),
        result.predictedSeconds() * 1e3,
        result.description());
  }

  /** What the model makes of the costs up to 4,096 ranks. */
  void predictions(LinkCosts costs, int heads) {
    out.printf(
        Locale.ROOT,
        "%nPredicted for a state of %d heads where each rank has a host of its own, ms%n"
            + "ranks   blocks      chain   log-scan      LASP-1      LASP-2   all-gather%n",
        heads);
    for (Prediction row : Prediction.table(costs, heads)) {
      out.printf(
          Locale.ROOT,
          "%,5d   %6d   %,8.2f   %,8.2f   %,9.1f   %,9.1f   %,10.1f%n",
          row.ranks(),
          row.blocks(),
          row.chainSeconds() * 1e3,
          row.logSeconds() * 1e3,
          row.lasp1Seconds() * 1e3,
          row.lasp2Seconds() * 1e3,
          row.allGatherSeconds() * 1e3);
    }
  }

  /** Before the transport. */
  void transportHeader() {
    out.printf(
        "%nTwo processes, messages of 1 MiB one way, 8 bytes there and back%n"
            + "way            protection         GB/s         µs   of the socket's rate%n");
  }

  void row(TransportResult result) {
    out.printf(
        Locale.ROOT,
        "%-12s   %-13s   %7.2f   %8.0f   %20.2f%n",
        result.name(),
        name(result.protection()),
        result.gigabytesPerSecond(),
        result.microseconds(),
        result.ratio());
  }

  static String name(Protection protection) {
    return protection.name().toLowerCase(Locale.ROOT);
  }

  private static double mebibytes(long bytes) {
    return bytes / (double) (1 << 20);
  }
}
