package org.longspan.parallelism.collective;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.function.Function;
import java.util.stream.DoubleStream;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.longspan.parallelism.collective.CollectiveCase.Mode;
import org.longspan.parallelism.collective.UnreliableDelivery.Fault;
import org.longspan.parallelism.transport.InProcessTransport;
import org.longspan.parallelism.transport.LocalRanks;
import org.longspan.parallelism.transport.Transport;
import org.longspan.parallelism.transport.TransportException;

@Timeout(240)
class UnreliableDeliveryTest {
  private static final int RANKS = 4;
  private static final int SEEDS = 5;
  private static final int NONE = -1;
  private static final int LENGTH = 70_001;
  private static final Duration LIMIT = Duration.ofSeconds(20);
  private static final Duration SHORT_LIMIT = Duration.ofMillis(500);

  /** Something that a rank does with its group; what it then holds. */
  private record Work(String name, Function<Communicator, double[]> body) {
    @Override
    public String toString() {
      return name;
    }
  }

  static Stream<Work> all() {
    Stream<Work> collectives =
        Arrays.stream(CollectiveCase.values())
            .map(each -> new Work(each.name(), group -> each.call(group, LENGTH, Mode.STARTED)));
    Stream<Work> scans =
        Arrays.stream(ScanChoice.values())
            .flatMap(
                choice ->
                    Arrays.stream(TransitionKind.values())
                        .map(
                            kind ->
                                new Work(
                                    choice + " " + kind, group -> scans(choice, kind, group))));
    return Stream.concat(collectives, scans);
  }

  /** A forward and a backward scan, in flight at once. */
  private static double[] scans(ScanChoice choice, TransitionKind kind, Communicator group) {
    StateShape shape = new StateShape(ElementType.FLOAT, 2, 5, 6);
    ScanTask task = new ScanTask(shape, kind, 6, 4);
    StateScan scan = Scans.of(choice, group, shape, kind, 4, ScanCosts.USUAL);
    List<ScanPiece> forward =
        task.piecesOf(group.index(), task.evenly(RANKS), ScanDirection.FORWARD);
    List<ScanPiece> backward =
        task.piecesOf(group.index(), task.evenly(RANKS), ScanDirection.BACKWARD);
    List<Pending> pending =
        List.of(
            scan.start(ScanDirection.FORWARD, forward),
            scan.start(ScanDirection.BACKWARD, backward));
    pending.forEach(Pending::await);
    return DoubleStream.concat(numbers(task, forward), numbers(task, backward)).toArray();
  }

  private static DoubleStream numbers(ScanTask task, List<ScanPiece> pieces) {
    return Arrays.stream(task.incoming(List.of(pieces))).flatMapToDouble(Arrays::stream);
  }

  /** The work, then a message from every rank to every other. */
  private static List<double[]> run(Work work, List<? extends Transport> transports) {
    return LocalRanks.run(
        transports,
        transport -> {
          try (Communicator group = Groups.over(transport, 2)) {
            group.position(9, 1);
            double[] result = work.body().apply(group);
            CollectiveCase.ALL_TO_ALL_ALIKE.call(group, 1, Mode.BLOCKING);
            return result;
          }
        });
  }

  private static List<UnreliableDelivery> connect(
      Duration limit, Fault fault, int faultyRank, int faulty, long seed) {
    List<UnreliableDelivery> transports = new ArrayList<>();
    for (Transport sound : InProcessTransport.connect(RANKS, limit)) {
      int number = sound.rank() == faultyRank ? faulty : NONE;
      transports.add(new UnreliableDelivery(sound, fault, number, seed + sound.rank()));
    }
    return transports;
  }

  @ParameterizedTest
  @MethodSource("all")
  void shouldGiveTheSameBitsHoweverLateMessagesCome(Work work) {
    List<double[]> expected = run(work, InProcessTransport.connect(RANKS, LIMIT));
    for (int seed = 0; seed < SEEDS; seed++) {
      List<double[]> actual = run(work, connect(LIMIT, Fault.DELAY, NONE, NONE, 100L * seed));
      for (int rank = 0; rank < RANKS; rank++) {
        assertThat(actual.get(rank)).isEqualTo(expected.get(rank));
      }
    }
  }

  @ParameterizedTest
  @MethodSource("all")
  void shouldFindAMessageThatComesTwice(Work work) {
    assertFound(work, Fault.DUPLICATE, LIMIT, "arrived where");
  }

  @ParameterizedTest
  @MethodSource("all")
  void shouldFindAMessageThatIsOvertaken(Work work) {
    assertFound(work, Fault.OVERTAKE, SHORT_LIMIT, "arrived where|arrived within");
  }

  private static void assertFound(Work work, Fault fault, Duration limit, String what) {
    List<UnreliableDelivery> counting = connect(LIMIT, Fault.DUPLICATE, NONE, NONE, 0);
    run(work, counting);
    int[] senders =
        IntStream.range(0, RANKS).filter(rank -> counting.get(rank).sent() > RANKS - 1).toArray();
    for (int seed = 0; seed < SEEDS; seed++) {
      Random random = new Random(seed);
      int rank = senders[random.nextInt(senders.length)];
      int faulty = random.nextInt(counting.get(rank).sent() - (RANKS - 1));
      assertThatThrownBy(() -> run(work, connect(limit, fault, rank, faulty, 0)))
          .as("Message %s of rank %s", faulty, rank)
          .isInstanceOf(TransportException.class)
          .hasMessageMatching(
              // A scan that is started after another has failed says so.
              "(The communicator of rank \\d on channel 2 failed in an earlier collective: )?"
                  + "Rank \\d, peer \\d, channel 2.*("
                  + what
                  + ").* \\(step 9, layer 1\\)");
    }
  }
}
