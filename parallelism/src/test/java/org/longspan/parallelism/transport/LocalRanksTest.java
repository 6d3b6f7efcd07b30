package org.longspan.parallelism.transport;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
class LocalRanksTest {
  private static final Duration LIMIT = Duration.ofMinutes(5);

  @Test
  void shouldGiveTheResultsInTheOrderOfTheRanks() {
    assertThat(LocalRanks.run(InProcessTransport.connect(4, LIMIT), Transport::rank))
        .containsExactly(0, 1, 2, 3);
  }

  @Test
  void shouldAllowResultsThatAreNull() {
    assertThat(LocalRanks.<Object>run(InProcessTransport.connect(2, LIMIT), transport -> null))
        .containsExactly(null, null);
  }

  @Test
  void shouldThrowWhatFailedFirstAndEndTheOthers() {
    List<Transport> transports = InProcessTransport.connect(3, LIMIT);
    IllegalStateException root = new IllegalStateException("rank 1 has had enough");
    assertThatThrownBy(
            () ->
                LocalRanks.run(
                    transports,
                    transport -> {
                      if (transport.rank() == 1) {
                        TransportContract.sleep(100);
                        throw root;
                      }
                      transport.receive(1, 0, 0, ByteBuffer.allocate(1));
                      return null;
                    }))
        .isSameAs(root);
    assertThat(ThreadsOfRanks.alive()).noneMatch(name -> name.startsWith("longspan-rank-"));
    assertThatThrownBy(() -> transports.get(0).receive(1, 0, 0, ByteBuffer.allocate(1)))
        .isInstanceOf(TransportException.class);
  }

  @Test
  void shouldInterruptRanksThatDoNotTalk() {
    assertThatThrownBy(
            () ->
                LocalRanks.run(
                    InProcessTransport.connect(2, LIMIT),
                    transport -> {
                      if (transport.rank() == 0) {
                        throw new AssertionError("wrong");
                      }
                      TransportContract.sleep(600_000);
                      return null;
                    }))
        .isInstanceOf(AssertionError.class)
        .hasMessage("wrong");
  }
}
