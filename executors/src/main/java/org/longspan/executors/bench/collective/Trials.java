package org.longspan.executors.bench.collective;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import org.longspan.parallelism.collective.Communicator;
import org.longspan.parallelism.collective.ElementType;
import org.longspan.parallelism.collective.ScanChoice;
import org.longspan.parallelism.collective.ScanCosts;
import org.longspan.parallelism.collective.ScanDirection;
import org.longspan.parallelism.collective.ScanPiece;
import org.longspan.parallelism.collective.Scans;
import org.longspan.parallelism.collective.StateScan;
import org.longspan.parallelism.collective.StateShape;
import org.longspan.parallelism.collective.TransitionKind;

/** Makes the trials of a rank for states of one shape. */
final class Trials {
  /** What all ratios refer to. */
  static final String REFERENCE = "all-gather";

  /** Pieces of all ranks together in the replay. */
  private static final int GRID = 16;

  private final Communicator communicator;
  private final StateShape shape;
  private final ScanCosts costs;
  private final int ranks;

  /**
   * @param costs for which a chain's blocks are chosen
   */
  Trials(Communicator communicator, StateShape shape, ScanCosts costs) {
    this.communicator = communicator;
    this.shape = shape;
    this.costs = costs;
    this.ranks = communicator.size();
  }

  List<Trial> all() {
    double state = shape.bytes();
    double transition = shape.rows() * (double) Float.BYTES;
    int blocks = Math.min(shape.rows(), costs.chainBlocks(ranks, shape, TransitionKind.DIAGONAL));
    List<Trial> trials = new ArrayList<>();
    trials.add(
        scan(
            "scan-chain",
            ScanChoice.CHAIN,
            blocks,
            ranks,
            CollectiveWork.chain(ranks, state, blocks, ranks)));
    trials.add(
        scan(
            "scan-log",
            ScanChoice.LOG,
            blocks,
            ranks,
            CollectiveWork.logScan(ranks, state, transition)));
    trials.add(
        scan(
            "scan-replay",
            ScanChoice.REPLAY,
            blocks,
            Math.max(GRID, ranks),
            CollectiveWork.chain(ranks, state, blocks, Math.max(GRID, ranks))));
    trials.add(
        scan("lasp1", ScanChoice.LASP1, 1, ranks, CollectiveWork.chain(ranks, state, 1, ranks)));
    trials.add(
        scan(
            "lasp2",
            ScanChoice.LASP2,
            1,
            ranks,
            CollectiveWork.gatherScan(ranks, state, transition)));
    addOthers(trials, state);
    return trials;
  }

  private void addOthers(List<Trial> trials, double state) {
    ByteBuffer own = States.random(shape.bytes(), communicator.index());
    ByteBuffer all = States.zeros(Math.multiplyExact(ranks, shape.bytes()));
    // The sums start from zero, since sums of sums would overflow.
    ByteBuffer sum = States.zeros(shape.bytes());
    List<ByteBuffer> given = partsFor(own);
    List<ByteBuffer> taken = partsFrom(all);
    trials.add(
        new Trial(
            REFERENCE,
            () -> communicator.allGather(own, all),
            CollectiveWork.allGather(ranks, state),
            "ring"));
    trials.add(
        new Trial(
            "all-reduce",
            () -> communicator.allReduce(sum, ElementType.FLOAT),
            CollectiveWork.allReduce(ranks, state),
            "ring"));
    trials.add(
        new Trial(
            "reduce-scatter",
            () -> communicator.reduceScatter(sum, ElementType.FLOAT),
            CollectiveWork.reduceScatter(ranks, state),
            "ring"));
    trials.add(
        new Trial(
            "all-to-all",
            () -> communicator.allToAll(given, taken),
            CollectiveWork.allToAll(ranks, state),
            "rounds"));
    trials.add(
        new Trial(
            "broadcast",
            () -> communicator.broadcast(sum, 0),
            CollectiveWork.broadcast(ranks, state),
            "chain of segments"));
  }

  private Trial scan(String name, ScanChoice choice, int blocks, int pieces, CollectiveWork work) {
    StateScan scan = Scans.of(choice, communicator, shape, TransitionKind.DIAGONAL, blocks, costs);
    List<ScanPiece> own =
        IntStream.range(edge(pieces, communicator.index()), edge(pieces, communicator.index() + 1))
            .mapToObj(piece -> States.piece(shape, piece))
            .toList();
    return new Trial(name, () -> scan.scan(ScanDirection.FORWARD, own), work, scan.description());
  }

  private int edge(int pieces, int rank) {
    return (int) ((long) pieces * rank / ranks);
  }

  /** A P-th part of a state for each rank. */
  private List<ByteBuffer> partsFor(ByteBuffer own) {
    return IntStream.range(0, ranks)
        .mapToObj(rank -> own.slice(edge(shape.elements(), rank) * Float.BYTES, partBytes(rank)))
        .toList();
  }

  /** Room for this rank's part of each rank's state. */
  private List<ByteBuffer> partsFrom(ByteBuffer all) {
    int bytes = partBytes(communicator.index());
    return IntStream.range(0, ranks).mapToObj(rank -> all.slice(rank * bytes, bytes)).toList();
  }

  private int partBytes(int rank) {
    return (edge(shape.elements(), rank + 1) - edge(shape.elements(), rank)) * Float.BYTES;
  }
}
