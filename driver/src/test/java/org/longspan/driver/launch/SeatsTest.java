package org.longspan.driver.launch;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Collections;
import java.util.List;
import org.junit.jupiter.api.Test;

class SeatsTest {
  @Test
  void shouldLeaveTasksOfOneHostInTheirOrder() {
    assertThat(Seats.of(Collections.nCopies(4, "a"), 2)).containsExactly(0, 1, 2, 3);
  }

  @Test
  void shouldNumberRanksHostByHost() {
    assertThat(Seats.of(List.of("a", "b", "a", "b"), 2)).containsExactly(0, 2, 1, 3);
    assertThat(Seats.of(List.of("a", "b", "a", "b"), 1)).containsExactly(0, 2, 1, 3);
  }

  @Test
  void shouldKeepTensorRanksTogetherWhereAHostHasRoomForOneMore() {
    // Two on a, two on b, and the third of each has no neighbour at home.
    assertThat(Seats.of(List.of("a", "b", "a", "b", "a", "b"), 2))
        .containsExactly(0, 2, 1, 3, 4, 5);
  }
}
