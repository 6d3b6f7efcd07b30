package org.longspan.driver.launch;

import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import org.junit.jupiter.api.Test;
import org.longspan.datapipeline.InvalidInputException;
import org.longspan.parallelism.message.RankAddress;

class RendezvousTest {
  @Test
  void shouldNameTheRanksThatRunSomethingElse() {
    List<RankAddress> all = List.of(rank(0, "a"), rank(1, "b"), rank(2, "a"), rank(3, "c"));

    assertThatThrownBy(() -> Rendezvous.checkSame(all))
        .isInstanceOf(InvalidInputException.class)
        .hasMessageStartingWith(
            "Rank 0 on host0 runs another configuration than rank 1 on host1 and rank 3 on host3;");
  }

  @Test
  void shouldTakeEqualOnes() {
    assertThatCode(() -> Rendezvous.checkSame(List.of(rank(0, "a"), rank(1, "a"))))
        .doesNotThrowAnyException();
  }

  private static RankAddress rank(int rank, String fingerprint) {
    return new RankAddress(rank, 0, "host" + rank, 1, 1, fingerprint);
  }
}
