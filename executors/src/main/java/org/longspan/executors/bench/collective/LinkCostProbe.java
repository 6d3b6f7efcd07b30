package org.longspan.executors.bench.collective;

import com.sun.management.OperatingSystemMXBean;
import java.lang.management.ManagementFactory;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;
import org.longspan.executors.bench.Medians;
import org.longspan.parallelism.collective.Communicator;
import org.longspan.parallelism.collective.LinkQuality;
import org.longspan.parallelism.collective.ScanChoice;
import org.longspan.parallelism.collective.ScanCosts;
import org.longspan.parallelism.collective.ScanDirection;
import org.longspan.parallelism.collective.ScanPiece;
import org.longspan.parallelism.collective.Scans;
import org.longspan.parallelism.collective.StateScan;
import org.longspan.parallelism.collective.StateShape;
import org.longspan.parallelism.collective.TransitionKind;
import org.longspan.parallelism.transport.Transport;

/** Measures {@link LinkCosts} between ranks 0 and 1 while the others wait. */
final class LinkCostProbe {
  private static final int PAIR_CHANNEL = 11;
  private static final int ALONE_CHANNEL = 12;
  private static final int LARGE_BYTES = 1 << 20;
  private static final int WARM_UP_MESSAGES = 1_024;
  private static final int WARM_UP_ROUNDS = 8_000;
  // The system counts processor time in hundredths of a second: half a second is needed at least.
  private static final int LARGE_MESSAGES = 384;
  private static final int SMALL_ROUNDS = 4_000;
  private static final int FOLDED_PIECES = 17;
  private static final int FOLD_REPETITIONS = 9;

  private static final OperatingSystemMXBean SYSTEM =
      (OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean();

  private final Transport transport;
  private final ByteBuffer large = ByteBuffer.allocateDirect(LARGE_BYTES);
  private final ByteBuffer small =
      ByteBuffer.allocateDirect(Double.BYTES).order(ByteOrder.nativeOrder());

  private LinkCostProbe(Transport transport) {
    this.transport = transport;
  }

  /** Rank 0 gets the costs, the others null; every rank calls. */
  static LinkCosts measure(Transport transport, Communicator everyone) {
    LinkCosts costs = null;
    if (transport.rank() < 2) {
      try (Communicator pair = Communicator.over(transport, List.of(0, 1), PAIR_CHANNEL)) {
        costs = new LinkCostProbe(transport).ofPair(pair);
      }
    }
    everyone.barrier();
    return transport.rank() == 0 ? costs : null;
  }

  private LinkCosts ofPair(Communicator pair) {
    stream(pair, WARM_UP_MESSAGES);
    rounds(pair, WARM_UP_ROUNDS);
    LinkQuality link = LinkQuality.measure(pair);
    double ofStream = processorSeconds(pair, () -> stream(pair, LARGE_MESSAGES));
    double ofRounds = processorSeconds(pair, () -> rounds(pair, SMALL_ROUNDS));
    return new LinkCosts(
        link,
        ofStream / ((double) LARGE_MESSAGES * LARGE_BYTES),
        ofRounds / (2.0 * SMALL_ROUNDS),
        foldSecondsPerByte(),
        Runtime.getRuntime().availableProcessors());
  }

  private void stream(Communicator pair, int messages) {
    for (int message = 0; message < messages; message++) {
      if (pair.index() == 0) {
        pair.send(1, large);
      } else {
        pair.receive(0, large);
      }
    }
  }

  private void rounds(Communicator pair, int rounds) {
    for (int round = 0; round < rounds; round++) {
      if (pair.index() == 0) {
        pair.send(1, small);
        pair.receive(1, small);
      } else {
        pair.receive(0, small);
        pair.send(0, small);
      }
    }
  }

  /** Of both ranks together. */
  private static double processorSeconds(Communicator pair, Runnable work) {
    pair.barrier();
    long before = SYSTEM.getProcessCpuTime();
    work.run();
    pair.barrier();
    double[] seconds = {(SYSTEM.getProcessCpuTime() - before) / 1e9};
    pair.allReduce(seconds);
    return seconds[0];
  }

  /** By a scan through pieces of one rank, where nothing travels. */
  private double foldSecondsPerByte() {
    StateShape shape = CollectiveRank.shape(CollectiveRank.LEAST_HEADS);
    try (Communicator alone =
        Communicator.over(transport, List.of(transport.rank()), ALONE_CHANNEL)) {
      StateScan scan =
          Scans.of(ScanChoice.CHAIN, alone, shape, TransitionKind.DIAGONAL, 1, ScanCosts.USUAL);
      List<ScanPiece> pieces = new ArrayList<>();
      for (int piece = 0; piece < FOLDED_PIECES; piece++) {
        pieces.add(States.piece(shape, piece));
      }
      double[] seconds = new double[FOLD_REPETITIONS];
      for (int repetition = -FOLD_REPETITIONS; repetition < FOLD_REPETITIONS; repetition++) {
        long start = System.nanoTime();
        scan.scan(ScanDirection.FORWARD, pieces);
        seconds[Math.max(0, repetition)] = (System.nanoTime() - start) / 1e9;
      }
      return Medians.of(seconds) / ((FOLDED_PIECES - 1.0) * shape.bytes());
    }
  }
}
