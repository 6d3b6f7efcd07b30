package org.longspan.parallelism.collective;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.time.Duration;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.longspan.parallelism.collective.Groups.Carrier;
import org.longspan.parallelism.transport.InProcessTransport;
import org.longspan.parallelism.transport.LocalRanks;
import org.longspan.parallelism.transport.Transport;

@Timeout(120)
class LinkQualityTest {
  /** Far beyond what a message takes in memory. */
  private static final Duration DELAY = Duration.ofMillis(3);

  private static final LinkQuality LINK = new LinkQuality(5e-5, 2e9);

  @ParameterizedTest
  @MethodSource("org.longspan.parallelism.collective.Groups#all")
  void shouldMeasureTheSameOnEveryRank(Carrier carrier, int ranks) {
    List<LinkQuality> links = Groups.run(carrier, ranks, LinkQuality::measure);
    assertThat(links).containsOnly(links.get(0));
    assertThat(links.get(0).latencySeconds()).isBetween(1e-9, 1.0);
    assertThat(links.get(0).bytesPerSecond()).isGreaterThan(1e5);
    if (ranks == 1) {
      assertThat(links).containsOnly(LinkQuality.USUAL);
    }
  }

  @ParameterizedTest
  @CsvSource({"2, 0", "3, 1", "3, 2", "4, 1", "4, 3"})
  void shouldTellEveryRankOfTheWorstLink(int ranks, int slow) {
    int other = (slow + 1) % ranks;
    List<Integer> everyone = IntStream.range(0, ranks).boxed().toList();
    List<LinkQuality> links =
        LocalRanks.run(
            InProcessTransport.connect(ranks, Groups.LIMIT).stream()
                .map(
                    transport ->
                        (Transport)
                            new SlowLink(
                                transport,
                                transport.rank() == slow
                                    ? other
                                    : transport.rank() == other ? slow : -1,
                                DELAY))
                .toList(),
            transport -> {
              try (Communicator communicator = Communicator.over(transport, everyone, 1)) {
                return LinkQuality.measure(communicator);
              }
            });
    assertThat(links).hasSize(ranks).containsOnly(links.get(0));
    assertThat(links.get(0).latencySeconds()).isGreaterThanOrEqualTo(DELAY.toMillis() / 1e3);
  }

  @Test
  void shouldCutTheStateForTheLeastTime() {
    assertThat(LINK.chainBlocks(1, 1 << 20, 0)).isEqualTo(1);
    assertThat(LINK.chainBlocks(2, 1 << 20, 0)).isEqualTo(1);
    assertThat(new LinkQuality(1e-4, 1e9).chainBlocks(10, 1_000_000, 0)).isEqualTo(9);
    int bytes = 4 << 20;
    for (int ranks : new int[] {3, 8, 64}) {
      int best = LINK.chainBlocks(ranks, bytes, 0);
      double time = LINK.chainSeconds(ranks, bytes, 0, best);
      assertThat(time).isLessThanOrEqualTo(LINK.chainSeconds(ranks, bytes, 0, best + 2));
      assertThat(time).isLessThanOrEqualTo(LINK.chainSeconds(ranks, bytes, 0, best - 2));
    }
  }

  @Test
  void shouldExpectTheTimeOfEachRound() {
    assertThat(LINK.logSeconds(1, 1000)).isZero();
    assertThat(LINK.logSeconds(2, 100_000)).isCloseTo(1e-4, within(1e-12));
    assertThat(LINK.logSeconds(5, 100_000)).isCloseTo(3e-4, within(1e-12));
    assertThat(LINK.logSeconds(8, 100_000)).isCloseTo(3e-4, within(1e-12));
    assertThat(LINK.chainSeconds(1, 1000, 0, 3)).isZero();
    assertThat(LINK.chainSeconds(4, 400_000, 0, 2)).isCloseTo(4 * 1.5e-4, within(1e-12));
  }

  @Test
  void shouldRefuseALinkWithoutBandwidth() {
    assertThatThrownBy(() -> new LinkQuality(1e-6, 0))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("A link of 1.0E-6 s and 0.0 bytes/s");
  }
}
