package org.longspan.parallelism.mesh;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.Test;

class MeshTest {
  private static final Mesh MESH = new Mesh(2, 3, 4);

  @Test
  void shouldMakeTensorRanksNeighboursThenSequenceThenData() {
    Rank rank = MESH.rank(18);
    assertThat(rank).isEqualTo(new Rank(18, 1, 1, 2));
    assertThat(MESH.tensorGroup(rank)).containsExactly(16, 17, 18, 19);
    assertThat(MESH.sequenceGroup(rank)).containsExactly(14, 18, 22);
    assertThat(MESH.dataGroup(rank)).containsExactly(6, 18);
    assertThat(MESH.sameShareGroup(rank)).containsExactly(2, 6, 10, 14, 18, 22);
  }

  @Test
  void shouldPlaceEveryRankOnceInEachKindOfGroup() {
    for (int number = 0; number < MESH.size(); number++) {
      Rank rank = MESH.rank(number);
      assertThat(MESH.tensorGroup(rank).get(rank.tensor())).isEqualTo(number);
      assertThat(MESH.sequenceGroup(rank).get(rank.sequence())).isEqualTo(number);
      assertThat(MESH.dataGroup(rank).get(rank.data())).isEqualTo(number);
      for (List<Integer> group :
          List.of(MESH.tensorGroup(rank), MESH.sequenceGroup(rank), MESH.dataGroup(rank))) {
        assertThat(group).doesNotHaveDuplicates().isSorted();
      }
    }
  }
}
