package org.longspan.parallelism.transport;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.longspan.parallelism.transport.FaultyTransport.Fault;
import org.longspan.parallelism.transport.MessageLabel.Kind;

@Timeout(120)
class FaultyTransportTest {
  private static final Duration LIMIT = Duration.ofSeconds(3);
  private static final Duration MARGIN = Duration.ofSeconds(15);
  private static final Duration PATIENCE = Duration.ofSeconds(60);
  private static final int RANKS = 3;
  private static final int FAULTY = 1;
  private static final int NEXT = 2;
  private static final int CHANNEL = 4;
  private static final int BYTES = 200_000;
  private static final int SOUND_STEPS = 3;

  @BeforeAll
  static void loadTheNetworkLibrary() {
    LocalRanks.run(
        NetworkTransport.loopback(2, PATIENCE, Protection.ENCRYPTED),
        transport -> TransportBench.roundTrip(transport, 1 - transport.rank(), 1));
  }

  @Nested
  class InProcess extends Contract {
    @Override
    List<Transport> connect() {
      return InProcessTransport.connect(RANKS, LIMIT);
    }
  }

  @Nested
  class Encrypted extends Contract {
    @Override
    List<Transport> connect() {
      return NetworkTransport.loopback(RANKS, LIMIT, Protection.ENCRYPTED);
    }
  }

  @Nested
  class Authenticated extends Contract {
    @Override
    List<Transport> connect() {
      return NetworkTransport.loopback(RANKS, LIMIT, Protection.AUTHENTICATED);
    }
  }

  /** A limit longer than the margin for a busy machine, so that no second limit would fit in. */
  @Test
  void shouldWaitForASilentRankForOneLimitOnly() {
    Duration limit = Duration.ofSeconds(16);
    Duration margin = Duration.ofSeconds(12);
    List<Transport> transports =
        withFault(Fault.STALL, NetworkTransport.loopback(RANKS, limit, Protection.ENCRYPTED));
    long start = System.nanoTime();
    List<End> ends = LocalRanks.run(transports, Contract::sendRoundUntilItFails);
    for (End end : ends) {
      assertThat(Contract.lasted(end, start)).as(end.sentence()).isLessThan(limit.plus(margin));
    }
    assertThat(ends.get(NEXT).sentence()).contains("nothing arrived within 16.0 s");
  }

  private static List<Transport> withFault(Fault fault, List<? extends Transport> sound) {
    List<Transport> transports = new ArrayList<>(sound);
    FaultyTransport faulty = FaultyTransport.over(transports.get(FAULTY), fault);
    faulty.armAfter(2 * SOUND_STEPS);
    transports.set(FAULTY, faulty);
    return transports;
  }

  /** How a rank ended, and when. */
  private record End(String sentence, long nanoTime) {}

  abstract static class Contract {
    abstract List<Transport> connect();

    @ParameterizedTest
    @EnumSource
    void shouldEndAllRanksInTimeAndSayWhy(Fault fault) throws Exception {
      Leftovers before = Leftovers.now();
      List<Transport> transports = withFault(fault, connect());
      long start = System.nanoTime();
      List<End> ends = LocalRanks.run(transports, Contract::sendRoundUntilItFails);
      for (int rank = 0; rank < RANKS; rank++) {
        assertThat(ends.get(rank).sentence()).startsWith("Rank " + rank + ", peer ");
      }
      String sentence = ends.get(NEXT).sentence();
      // Where a rank dies, its other neighbour may have closed in turn already.
      assertThat(fault == Fault.DIE ? sentence.replace("peer 0", "peer 1") : sentence)
          .startsWith(expected(fault));
      // The slow rank itself wakes up after one and a half limits; the others do not wait for it.
      assertThat(lasted(ends.get(0), start)).isLessThan(LIMIT.plus(MARGIN));
      assertThat(lasted(ends.get(NEXT), start)).isLessThan(LIMIT.plus(MARGIN));
      assertThat(lasted(ends.get(FAULTY), start))
          .isLessThan(LIMIT.multipliedBy(3).dividedBy(2).plus(MARGIN));
      Leftovers after = Leftovers.since(before);
      assertThat(after.isMoreThan(before)).as("%s after %s", after, before).isFalse();
    }

    @ParameterizedTest
    @EnumSource(names = {"WRONG_JOB", "WRONG_ATTEMPT"})
    void shouldTellARankThatLiesFromTheFirstMessageOn(Fault fault) {
      List<Transport> transports = withFault(fault, connect());
      ((FaultyTransport) transports.get(FAULTY)).arm();
      List<String> sentences = LocalRanks.run(transports, Contract::listenToALiar);
      assertThat(sentences.get(FAULTY))
          .isEqualTo("Rank 1, peer 2, channel 4: the peer refused: " + refusal(fault));
      assertThat(sentences.get(NEXT))
          .startsWith("Rank 2, peer 1, channel 4: ")
          .endsWith(refusal(fault));
    }

    private static String listenToALiar(Transport transport) {
      ByteBuffer bytes = ByteBuffer.allocateDirect(BYTES);
      try {
        if (transport.rank() == FAULTY) {
          transport.send(NEXT, CHANNEL, 0, bytes);
          transport.receive(NEXT, CHANNEL, 0, bytes);
        } else if (transport.rank() == NEXT) {
          transport.receive(FAULTY, CHANNEL, 0, bytes);
        }
        return "nothing went wrong";
      } catch (TransportException e) {
        return e.getMessage();
      }
    }

    /** When a sound rank fails it closes its transport; the faulty one does nothing more. */
    private static End sendRoundUntilItFails(Transport transport) {
      int next = (transport.rank() + 1) % RANKS;
      int before = (transport.rank() + RANKS - 1) % RANKS;
      ByteBuffer payload = ByteBuffer.allocateDirect(BYTES);
      ByteBuffer into = ByteBuffer.allocateDirect(BYTES);
      try {
        for (int step = 0; ; step++) {
          int label = MessageLabel.of(Kind.SEND, step);
          transport.send(next, CHANNEL, label, payload);
          transport.receive(before, CHANNEL, label, into);
        }
      } catch (TransportException e) {
        if (transport.rank() != FAULTY) {
          transport.close();
        }
        return new End(e.getMessage(), System.nanoTime());
      }
    }

    private static Duration lasted(End end, long start) {
      return Duration.ofNanos(end.nanoTime() - start);
    }

    private static String expected(Fault fault) {
      String route = "Rank 2, peer 1, channel 4";
      return switch (fault) {
        case DIE -> route + ", send 3: the peer has closed ";
        case STALL, SLOW -> route + ", send 3: nothing arrived within 3.0 s";
        case WRONG_SHAPE ->
            route + ", send 3: a message of 200001 bytes arrived where 200000 were expected";
        case WRONG_ORDER ->
            route + ": a message of send 4 arrived where one of send 3 was expected";
        case WRONG_JOB, WRONG_ATTEMPT -> route + ", send 3: " + refusal(fault);
      };
    }

    private static String refusal(Fault fault) {
      return fault == Fault.WRONG_JOB
          ? "Rank 2 refuses a message of another job"
          : "Rank 2 of attempt 0 refuses a message of attempt 1 from rank 1";
    }
  }

  @Test
  void shouldRefuseATransportIntoWhichNothingCanBeInjected() {
    Transport faulty = FaultyTransport.over(InProcessTransport.connect(1, LIMIT).get(0), Fault.DIE);
    assertThatThrownBy(() -> FaultyTransport.over(faulty, Fault.DIE))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("No fault can be injected into a FaultyTransport");
  }
}
