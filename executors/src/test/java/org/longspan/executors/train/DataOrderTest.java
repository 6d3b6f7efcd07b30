package org.longspan.executors.train;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class DataOrderTest {
  private static List<Long> epoch(DataOrder order, int sequences, int epoch) {
    return LongStream.range((long) epoch * sequences, (epoch + 1L) * sequences)
        .map(order::sequence)
        .boxed()
        .toList();
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 2, 7, 60, 1317})
  void shouldTakeEverySequenceOnceInEachEpoch(int sequences) {
    DataOrder order = new DataOrder(sequences, 3);
    Long[] all = LongStream.range(0, sequences).boxed().toArray(Long[]::new);
    for (int epoch = 0; epoch < 4; epoch++) {
      assertThat(epoch(order, sequences, epoch)).containsExactlyInAnyOrder(all);
    }
  }

  @Test
  void shouldOrderEachEpochAndEachSeedAnew() {
    DataOrder order = new DataOrder(1317, 3);
    assertThat(epoch(order, 1317, 0)).isNotEqualTo(epoch(order, 1317, 1));
    assertThat(epoch(new DataOrder(1317, 4), 1317, 0)).isNotEqualTo(epoch(order, 1317, 0));
    assertThat(epoch(new DataOrder(1317, 3), 1317, 0)).isEqualTo(epoch(order, 1317, 0));
  }

  @Test
  void shouldNotOverflowWithManySequences() {
    DataOrder order = new DataOrder(Long.MAX_VALUE / 2, 9);
    assertThat(IntStream.range(0, 1000).mapToLong(order::sequence).distinct().count())
        .isEqualTo(1000);
    assertThat(IntStream.range(0, 1000).mapToLong(order::sequence)).allMatch(value -> value >= 0);
  }
}
