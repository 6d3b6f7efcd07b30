package org.longspan.parallelism.collective;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.FutureTask;
import java.util.stream.Stream;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.longspan.parallelism.collective.CollectiveCase.Mode;
import org.longspan.parallelism.collective.Groups.Carrier;
import org.longspan.parallelism.transport.FaultyTransport;
import org.longspan.parallelism.transport.FaultyTransport.Fault;
import org.longspan.parallelism.transport.ThreadsOfRanks;
import org.longspan.parallelism.transport.Transport;
import org.longspan.parallelism.transport.TransportException;

@Timeout(240)
class PeerFaultTest {
  private static final int RANKS = 4;
  private static final int FAULTY_RANK = 1;

  /** After how many messages of a rank it fails. */
  private static final int[] MOMENTS = {3, 20, 41};

  static Stream<Arguments> all() {
    Stream<Arguments> inMemory =
        Arrays.stream(Fault.values())
            .flatMap(
                fault ->
                    Arrays.stream(MOMENTS)
                        .mapToObj(moment -> Arguments.of(Carrier.MEMORY, fault, moment, 1)));
    Stream<Arguments> overTheNetwork =
        Arrays.stream(Fault.values()).map(fault -> Arguments.of(Carrier.NETWORK, fault, 20, 5));
    return Stream.concat(inMemory, overTheNetwork);
  }

  @ParameterizedTest
  @MethodSource("all")
  void shouldEndEveryRankWithASentenceThatSaysWhoWhereAndWhen(
      Carrier carrier, Fault fault, int moment, int limitSeconds) throws Exception {
    Duration limit = Duration.ofSeconds(limitSeconds);
    List<Transport> transports = new ArrayList<>(carrier.connect(RANKS, limit));
    FaultyTransport faulty = FaultyTransport.over(transports.get(FAULTY_RANK), fault);
    faulty.armAfter(moment);
    transports.set(FAULTY_RANK, faulty);
    List<FutureTask<TransportException>> ranks =
        transports.stream().map(PeerFaultTest::workUntilItFails).toList();
    ranks.forEach(rank -> new Thread(rank).start());
    for (int rank = 0; rank < RANKS; rank++) {
      assertThat(ranks.get(rank).get())
          .hasMessageMatching(
              "Rank "
                  + rank
                  + ", peer \\d, channel 6.*("
                  + kinds()
                  + ") \\d+.* \\(step \\d+, layer 3\\)");
    }
    assertThat(ThreadsOfRanks.left()).isEmpty();
  }

  private static String kinds() {
    return "scan-chain (for|back)ward|scan-log (for|back)ward|all-reduce|all-to-all|halo forward";
  }

  private static FutureTask<TransportException> workUntilItFails(Transport transport) {
    return new FutureTask<>(
        () -> {
          try (transport;
              Communicator group = Groups.over(transport, 6)) {
            return workUntilItFails(group);
          }
        });
  }

  private static TransportException workUntilItFails(Communicator group) {
    StateShape shape = new StateShape(ElementType.FLOAT, 2, 5, 6);
    ScanTask task = new ScanTask(shape, TransitionKind.DIAGONAL, 5, 4);
    StateScan chain = Scans.of(ScanChoice.CHAIN, group, shape, task.kind, 4, ScanCosts.USUAL);
    StateScan log = Scans.of(ScanChoice.LOG, group, shape, task.kind, 4, ScanCosts.USUAL);
    for (int step = 0; ; step++) {
      group.position(step, 3);
      try {
        for (ScanDirection direction : ScanDirection.values()) {
          List<ScanPiece> pieces = task.piecesOf(group.index(), task.evenly(RANKS), direction);
          chain.start(direction, pieces).await();
          log.start(direction, pieces).await();
        }
        CollectiveCase.ALL_REDUCE.call(group, 100, Mode.BLOCKING);
        CollectiveCase.ALL_TO_ALL_ALIKE.call(group, 10, Mode.STARTED);
        CollectiveCase.HALO.call(group, 10, Mode.STARTED);
      } catch (TransportException e) {
        return e;
      }
    }
  }
}
