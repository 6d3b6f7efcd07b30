package org.longspan.parallelism.collective;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.longspan.parallelism.collective.Groups.Carrier;
import org.longspan.parallelism.transport.InProcessTransport;
import org.longspan.parallelism.transport.LocalRanks;
import org.longspan.parallelism.transport.MessageLabel;
import org.longspan.parallelism.transport.ThreadsOfRanks;
import org.longspan.parallelism.transport.Transport;
import org.longspan.parallelism.transport.TransportException;

@Timeout(120)
class CommunicatorTest {
  private static final String GROUPS = "org.longspan.parallelism.collective.Groups#all";
  private static final int[] LENGTHS = {0, 1, 2, 5, 7, 64, 3001, 200_003};

  @ParameterizedTest
  @MethodSource(GROUPS)
  void shouldSumOverTheRanks(Carrier carrier, int ranks) {
    for (ElementType type : ElementType.values()) {
      for (int length : LENGTHS) {
        double[] expected = new double[length];
        for (int rank = 0; rank < ranks; rank++) {
          double[] values = Numbers.random(length, rank);
          for (int i = 0; i < length; i++) {
            expected[i] += values[i];
          }
        }
        List<ByteBuffer> sums =
            Groups.run(
                carrier,
                ranks,
                communicator -> {
                  ByteBuffer own =
                      Numbers.buffer(type, Numbers.random(length, communicator.index()));
                  communicator.allReduce(own, type);
                  return own;
                });
        Numbers.assertClose(
            Numbers.values(type, sums.get(0)), expected, ranks * Numbers.tolerance(type));
        assertThat(sums).allMatch(sums.get(0)::equals);
      }
    }
  }

  @Test
  void shouldSumOnlyBetweenPositionAndLimit() {
    Groups.run(
        Carrier.MEMORY,
        3,
        communicator -> {
          ByteBuffer own = Numbers.buffer(ElementType.DOUBLE, 1, 2, 3, 4).position(8).limit(24);
          communicator.allReduce(own, ElementType.DOUBLE);
          assertThat(own.position()).isEqualTo(8);
          assertThat(Numbers.values(ElementType.DOUBLE, own.clear())).containsExactly(1, 6, 9, 4);
          return null;
        });
  }

  @ParameterizedTest
  @MethodSource(GROUPS)
  void shouldSumAFewNumbers(Carrier carrier, int ranks) {
    List<double[]> sums =
        Groups.run(
            carrier,
            ranks,
            communicator -> {
              double[] values = {communicator.index() + 1, 0.5};
              communicator.allReduce(values);
              return values;
            });
    assertThat(sums).allSatisfy(sum -> assertThat(sum).containsExactly(total(ranks), ranks / 2.0));
  }

  private static double total(int ranks) {
    return ranks * (ranks + 1) / 2.0;
  }

  @ParameterizedTest
  @MethodSource(GROUPS)
  void shouldGatherInTheOrderOfTheRanks(Carrier carrier, int ranks) {
    for (int length : new int[] {0, 3, 100_000}) {
      Groups.run(
          carrier,
          ranks,
          communicator -> {
            ByteBuffer all = Numbers.buffer(ElementType.DOUBLE, new double[ranks * length]);
            communicator.allGather(
                Numbers.buffer(ElementType.DOUBLE, Numbers.random(length, communicator.index())),
                all);
            for (int rank = 0; rank < ranks; rank++) {
              ByteBuffer part = all.slice(rank * length * Double.BYTES, length * Double.BYTES);
              Numbers.assertClose(
                  Numbers.values(ElementType.DOUBLE, part), Numbers.random(length, rank), 0);
            }
            return null;
          });
    }
  }

  @ParameterizedTest
  @MethodSource(GROUPS)
  void shouldBroadcastFromAnyRank(Carrier carrier, int ranks) {
    Groups.run(
        carrier,
        ranks,
        communicator -> {
          for (int root = 0; root < ranks; root++) {
            for (int length : new int[] {0, 1, 70_001}) {
              double[] expected = Numbers.random(length, root);
              ByteBuffer own =
                  Numbers.buffer(
                      ElementType.DOUBLE,
                      communicator.index() == root ? expected : new double[length]);
              communicator.broadcast(own, root);
              Numbers.assertClose(Numbers.values(ElementType.DOUBLE, own), expected, 0);
            }
          }
          return null;
        });
  }

  @ParameterizedTest
  @MethodSource(GROUPS)
  void shouldHoldEveryRankAtTheBarrier(Carrier carrier, int ranks) {
    AtomicInteger arrived = new AtomicInteger();
    Groups.run(
        carrier,
        ranks,
        communicator -> {
          for (int round = 1; round <= 5; round++) {
            arrived.incrementAndGet();
            communicator.barrier();
            assertThat(arrived.get()).isGreaterThanOrEqualTo(round * ranks);
            communicator.barrier();
          }
          return null;
        });
  }

  @Test
  void shouldLetGroupsOfOtherRanksAndChannelsActAtOnce() throws InterruptedException {
    LocalRanks.run(
        InProcessTransport.connect(4, Groups.LIMIT),
        transport -> {
          int rank = transport.rank();
          List<Integer> columns = rank % 2 == 0 ? List.of(2, 0) : List.of(1, 3);
          try (Communicator rows = Groups.over(transport, 0);
              Communicator halves = Communicator.over(transport, columns, 1)) {
            assertThat(halves.index()).isEqualTo(columns.indexOf(rank));
            double[] half = {rank};
            CountDownLatch summed = new CountDownLatch(1);
            Pending later =
                rows.start(
                    MessageLabel.Kind.BROADCAST,
                    messages -> {
                      // Holds the first group up until the second one is through.
                      awaitLatch(summed);
                      ByteBuffer one = Numbers.buffer(ElementType.FLOAT, 1);
                      if (rows.index() > 0) {
                        messages.receive(rows.index() - 1, one);
                      }
                      if (rows.index() < 3) {
                        messages.send(rows.index() + 1, one);
                      }
                    });
            halves.allReduce(half);
            summed.countDown();
            assertThat(half).containsExactly(rank % 2 == 0 ? 2 : 4);
            later.await();
            double[] all = {1};
            rows.allReduce(all);
            assertThat(all).containsExactly(4);
          }
          return null;
        });
    assertThat(ThreadsOfRanks.left()).noneMatch(name -> name.startsWith("longspan-collective"));
  }

  @Test
  void shouldKeepTheOrderOfCollectivesOnItsThreadAndOthers() {
    Groups.run(
        Carrier.MEMORY,
        3,
        communicator -> {
          StateScan scan = chain(communicator, new StateShape(ElementType.DOUBLE, 1, 4, 2));
          for (int round = 0; round < 50; round++) {
            ByteBuffer summary = Numbers.buffer(ElementType.DOUBLE, Numbers.random(8, round));
            ByteBuffer incoming = Numbers.buffer(ElementType.DOUBLE, new double[8]);
            Pending pending =
                scan.start(
                    ScanDirection.FORWARD,
                    List.of(
                        new ScanPiece(
                            summary,
                            Transition.diagonal(Numbers.buffer(ElementType.DOUBLE, 1, 1, 1, 1)),
                            incoming)));
            double[] sum = {round};
            communicator.allReduce(sum);
            assertThat(sum).containsExactly(3 * round);
            pending.await();
            assertThat(Numbers.values(ElementType.DOUBLE, incoming)[7])
                .isEqualTo(communicator.index() * Numbers.random(8, round)[7], within(1e-15));
          }
          return null;
        });
  }

  @Test
  void shouldFailAtOnceWhenAPeerCloses() {
    List<Transport> transports = InProcessTransport.connect(3, Groups.LIMIT);
    transports.get(2).close();
    Communicator communicator = Groups.over(transports.get(0), 6);
    assertThatThrownBy(communicator::barrier)
        .isInstanceOf(TransportException.class)
        .hasMessage(
            "Rank 0, peer 2, channel 6, barrier 1 (message 1): the peer has closed its transport");
    assertThatThrownBy(communicator::barrier)
        .isInstanceOf(TransportException.class)
        .hasMessageContaining("on channel 6 failed in an earlier collective: Rank 0, peer 2");
    communicator.close();
    transports.forEach(Transport::close);
  }

  @Test
  void shouldNameBothCollectivesWhenAPeerIsInAnother() {
    assertThatThrownBy(
            () ->
                Groups.run(
                    Carrier.MEMORY,
                    2,
                    communicator -> {
                      communicator.position(12, 3);
                      communicator.barrier();
                      communicator.position(12, -1);
                      ByteBuffer one = Numbers.buffer(ElementType.FLOAT, 1);
                      if (communicator.index() == 0) {
                        communicator.broadcast(one, 0);
                        communicator.barrier();
                      } else {
                        communicator.allReduce(one, ElementType.FLOAT);
                      }
                      return null;
                    }))
        .isInstanceOf(TransportException.class)
        .hasMessage(
            "Rank 1, peer 0, channel 0: a message of broadcast 2 (message 1) arrived where one of"
                + " all-reduce 2 (message 1) was expected (step 12)");
  }

  @Test
  void shouldNameTheCollectivesOfRanksThatHaveLostCount() {
    assertThatThrownBy(
            () ->
                Groups.run(
                    Carrier.MEMORY,
                    3,
                    communicator -> {
                      ByteBuffer one = Numbers.buffer(ElementType.FLOAT, 1);
                      if (communicator.index() == 1) {
                        communicator.start(MessageLabel.Kind.BARRIER, messages -> {});
                      }
                      communicator.broadcast(one, 0);
                      return null;
                    }))
        .isInstanceOf(TransportException.class)
        .hasMessageMatching(
            "Rank \\d, peer \\d, channel 0: a message of broadcast \\d \\(message 1\\) arrived"
                + " where one of broadcast \\d \\(message 1\\) was expected");
  }

  @Test
  void shouldNameTheCollectiveInWhichSomethingElseFails() {
    Groups.run(
        Carrier.MEMORY,
        1,
        communicator -> {
          communicator.position(-1, 4);
          assertThatThrownBy(
                  () ->
                      communicator.run(
                          MessageLabel.Kind.HALO_FORWARD,
                          messages -> {
                            throw new IllegalStateException("Odd");
                          }))
              .isInstanceOf(TransportException.class)
              .hasMessage("Rank 0, halo forward 1 (layer 4): java.lang.IllegalStateException: Odd");
          return null;
        });
  }

  @Test
  void shouldFailAtTheTimeLimitWhenAPeerStalls() {
    List<Transport> transports = InProcessTransport.connect(2, Duration.ofMillis(200));
    try (Communicator communicator = Groups.over(transports.get(1), 0)) {
      communicator.position(7, 2);
      StateScan scan = chain(communicator, new StateShape(ElementType.FLOAT, 1, 1, 1));
      Pending pending =
          scan.start(
              ScanDirection.FORWARD,
              List.of(
                  new ScanPiece(
                      Numbers.buffer(ElementType.FLOAT, 1),
                      Transition.diagonal(Numbers.buffer(ElementType.FLOAT, 1)),
                      Numbers.buffer(ElementType.FLOAT, 0))));
      assertThatThrownBy(pending::await)
          .isInstanceOf(TransportException.class)
          .hasMessage(
              "Rank 1, peer 0, channel 0, scan-chain forward 1 (message 1): nothing arrived within"
                  + " 0.2 s (step 7, layer 2)");
      assertThatThrownBy(pending::await).isInstanceOf(TransportException.class);
    }
    transports.forEach(Transport::close);
  }

  @Test
  void shouldEndWhatIsUnderWayWhenTheWaiterIsInterrupted() throws Exception {
    List<Transport> transports = InProcessTransport.connect(2, Groups.LIMIT);
    AtomicReference<Throwable> failure = new AtomicReference<>();
    Communicator communicator = Groups.over(transports.get(1), 0);
    Thread waiter =
        new Thread(
            () -> {
              StateScan scan = chain(communicator, new StateShape(ElementType.FLOAT, 1, 1, 1));
              Pending pending =
                  scan.start(
                      ScanDirection.FORWARD,
                      List.of(
                          new ScanPiece(
                              Numbers.buffer(ElementType.FLOAT, 1),
                              Transition.diagonal(Numbers.buffer(ElementType.FLOAT, 1)),
                              Numbers.buffer(ElementType.FLOAT, 0))));
              try {
                pending.await();
              } catch (TransportException e) {
                failure.set(Thread.currentThread().isInterrupted() ? e : null);
              }
            });
    waiter.start();
    while (waiter.getState() != Thread.State.WAITING) {
      Thread.sleep(1);
    }
    waiter.interrupt();
    waiter.join();
    assertThat(failure.get()).hasMessageContaining("interrupted in scan-chain forward 1");
    assertThat(ThreadsOfRanks.left()).noneMatch(name -> name.startsWith("longspan-collective"));
    transports.forEach(Transport::close);
  }

  @Test
  void shouldEndEveryPendingCollectiveWhenClosed() {
    List<Transport> transports = InProcessTransport.connect(2, Groups.LIMIT);
    Communicator communicator = Groups.over(transports.get(1), 0);
    ByteBuffer one = ByteBuffer.allocate(1);
    Pending running = communicator.startReceive(0, one);
    Pending waiting = communicator.startBroadcast(one, 0);
    communicator.close();
    assertThatThrownBy(running::await).isInstanceOf(TransportException.class);
    assertThatThrownBy(waiting::await).isInstanceOf(TransportException.class);
    assertThatThrownBy(communicator::barrier)
        .hasMessage("The communicator of rank 1 on channel 0 is closed");
    transports.forEach(Transport::close);
  }

  @Test
  void shouldRefuseGroupsAndBuffersThatDoNotFit() {
    Transport transport = InProcessTransport.connect(3, Groups.LIMIT).get(1);
    assertThatThrownBy(() -> Communicator.over(transport, List.of(0, 2), 0))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("Rank 1 is not in the group [0, 2]");
    assertThatThrownBy(() -> Communicator.over(transport, List.of(1, 2, 1), 0))
        .isInstanceOf(IllegalArgumentException.class);
    try (Communicator communicator = Groups.over(transport, 0)) {
      assertThatThrownBy(() -> communicator.allReduce(ByteBuffer.allocate(7), ElementType.FLOAT))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessage("7 bytes are no whole number of elements of 4 bytes");
      assertThatThrownBy(() -> communicator.allGather(List.of(ByteBuffer.allocate(7))))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessage("1 parts for 3 ranks");
      assertThatThrownBy(() -> communicator.broadcast(ByteBuffer.allocate(1), 3))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessage("Place 3 is not one of a group of 3 ranks");
      assertThatThrownBy(() -> communicator.send(1, ByteBuffer.allocate(1)))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessage("Place 1 is this rank's own");
      assertThatThrownBy(
              () -> communicator.allGather(ByteBuffer.allocate(7), ByteBuffer.allocate(20)))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessage("7 bytes of each of 3 ranks are not 20");
    }
  }

  @Test
  void shouldAddElementByElement() {
    for (ElementType type : ElementType.values()) {
      ByteBuffer sum = Numbers.buffer(type, Numbers.random(5000, 1));
      type.add(sum, Numbers.buffer(type, Numbers.random(5000, 2)));
      double[] left = Numbers.random(5000, 1);
      double[] right = Numbers.random(5000, 2);
      double[] actual = Numbers.values(type, sum);
      for (int i = 0; i < left.length; i++) {
        assertThat(actual[i]).isCloseTo(left[i] + right[i], within(Numbers.tolerance(type)));
      }
    }
  }

  private static StateScan chain(Communicator communicator, StateShape shape) {
    return Scans.of(
        ScanChoice.CHAIN, communicator, shape, TransitionKind.DIAGONAL, 2, ScanCosts.USUAL);
  }

  private static void awaitLatch(CountDownLatch latch) {
    try {
      latch.await();
    } catch (InterruptedException e) {
      throw new IllegalStateException(e);
    }
  }
}
