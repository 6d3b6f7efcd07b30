package org.longspan.executors.bench.collective;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.longspan.parallelism.collective.LinkQuality;

class CollectiveWorkTest {
  private static final double STATE = 1 << 20;
  private static final double TRANSITION = 1 << 13;
  private static final LinkQuality LINK = new LinkQuality(50e-6, 2e9);
  private static final LinkCosts HOSTS = new LinkCosts(LINK, 0, 0, 0, 1);

  @ParameterizedTest
  @ValueSource(ints = {2, 3, 8, 4096})
  void shouldAgreeWithWhatScansAreChosenBy(int ranks) {
    int blocks = LINK.chainBlocks(ranks, (long) STATE, 0);
    assertThat(HOSTS.seconds(CollectiveWork.chain(ranks, STATE, blocks, ranks)))
        .isCloseTo(LINK.chainSeconds(ranks, (long) STATE, 0, blocks), within(1e-12));
    assertThat(HOSTS.seconds(CollectiveWork.logScan(ranks, STATE, TRANSITION)))
        .isCloseTo(LINK.logSeconds(ranks, (long) (STATE + TRANSITION)), within(1e-12));
  }

  /** By the log-scan's own count of what a place receives. */
  @ParameterizedTest
  @ValueSource(ints = {2, 3, 5, 8, 100})
  void shouldCountTheBytesOfALogScan(int ranks) {
    double bytes = 0;
    for (int place = 1; place < ranks; place++) {
      int log = 31 - Integer.numberOfLeadingZeros(place);
      bytes += (log + 1) * STATE + log * TRANSITION;
    }
    assertThat(CollectiveWork.logScan(ranks, STATE, TRANSITION).bytes()).isEqualTo(bytes);
  }

  /** Of 17 states that eight ranks send, the 7 of the last two rounds have no use of theirs. */
  @Test
  void shouldCountTheSegmentsOfALogScan() {
    assertThat(CollectiveWork.logScan(8, STATE, TRANSITION).messages()).isEqualTo(10 * 5 + 7 * 4);
  }

  @Test
  void shouldCountTheBytesOfRings() {
    assertThat(CollectiveWork.allGather(8, STATE).bytes()).isEqualTo(56 * STATE);
    assertThat(CollectiveWork.allReduce(8, STATE).bytes()).isEqualTo(14 * STATE);
    assertThat(CollectiveWork.reduceScatter(8, STATE).bytes()).isEqualTo(7 * STATE);
    assertThat(CollectiveWork.allToAll(8, STATE).bytes()).isEqualTo(7 * STATE);
    assertThat(CollectiveWork.broadcast(8, STATE).bytes()).isEqualTo(7 * STATE);
    assertThat(CollectiveWork.gatherScan(8, STATE, TRANSITION).bytes())
        .isEqualTo(56 * (STATE + TRANSITION));
  }

  @Test
  void shouldBeHeldUpByTheProcessorsThatRanksShare() {
    CollectiveWork work = CollectiveWork.allGather(8, STATE);
    LinkCosts shared = new LinkCosts(LINK, 1e-9, 0, 0, 2);
    assertThat(shared.seconds(work)).isCloseTo(56 * STATE * 1e-9 / 2, within(1e-12));
    LinkCosts wide = new LinkCosts(LINK, 1e-9, 0, 0, 1000);
    assertThat(wide.seconds(work)).isEqualTo(HOSTS.seconds(work));
  }

  @Test
  void shouldReadTheCostsThatItWrote() {
    LinkCosts costs = new LinkCosts(LINK, 1.5e-9, 2e-5, 3e-10, 4);
    assertThat(LinkCosts.read(costs.written())).isEqualTo(costs);
  }
}
