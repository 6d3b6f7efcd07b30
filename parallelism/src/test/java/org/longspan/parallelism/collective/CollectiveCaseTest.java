package org.longspan.parallelism.collective;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Arrays;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.longspan.parallelism.collective.CollectiveCase.Mode;
import org.longspan.parallelism.collective.Groups.Carrier;
import org.longspan.parallelism.transport.InProcessTransport;
import org.longspan.parallelism.transport.LocalRanks;
import org.longspan.parallelism.transport.Transport;

@Timeout(120)
class CollectiveCaseTest {
  private static final int[] LENGTHS = {0, 1, 2, 5, 64, 3001, 70_001};

  static Stream<Arguments> all() {
    return Groups.all()
        .flatMap(
            group ->
                Arrays.stream(CollectiveCase.values())
                    .map(each -> Arguments.of(each, group.get()[0], group.get()[1])));
  }

  @ParameterizedTest
  @MethodSource("all")
  void shouldGiveWhatItPromisesAndReceiveWhatItsFormulaSays(
      CollectiveCase collective, Carrier carrier, int ranks) {
    LocalRanks.run(
        carrier.connect(ranks, Groups.LIMIT),
        transport -> {
          try (Communicator group = Groups.over(transport, 3)) {
            long before = 0;
            for (int length : LENGTHS) {
              for (Mode mode : Mode.values()) {
                assertThat(collective.call(group, length, mode))
                    .isEqualTo(collective.expected(ranks, group.index(), length));
                assertThat(group.receivedBytes() - before)
                    .isEqualTo(8 * collective.received(ranks, group.index(), length));
                before = group.receivedBytes();
              }
            }
            assertThat(transport.receivedBytes()).isEqualTo(before);
          }
          return null;
        });
  }

  @ParameterizedTest
  @EnumSource
  void shouldNotWaitInACircleHoweverLargeTheBuffersAre(CollectiveCase collective) {
    int length = 3 * Transport.WINDOW_BYTES / Double.BYTES;
    Groups.run(
        Carrier.MEMORY,
        3,
        group -> {
          assertThat(collective.call(group, length, Mode.BLOCKING))
              .isEqualTo(collective.expected(3, group.index(), length));
          return null;
        });
  }

  @ParameterizedTest
  @EnumSource
  void shouldServeSubgroupsAtOnceWithoutMixingThem(CollectiveCase collective) {
    LocalRanks.run(
        InProcessTransport.connect(6, Groups.LIMIT),
        transport -> {
          int rank = transport.rank();
          List<Integer> row = rank < 3 ? List.of(0, 1, 2) : List.of(3, 4, 5);
          List<Integer> column = List.of(rank % 3 + 3, rank % 3);
          List<Integer> everyone = IntStream.range(0, 6).boxed().toList();
          List<Communicator> groups =
              List.of(
                  Communicator.over(transport, row, 1),
                  Communicator.over(transport, column, 2),
                  Communicator.over(transport, everyone, 3));
          List<FutureTask<Void>> calls =
              groups.stream()
                  .map(group -> new FutureTask<Void>(() -> callOften(collective, group), null))
                  .toList();
          calls.forEach(call -> new Thread(call).start());
          calls.forEach(CollectiveCaseTest::finish);
          groups.forEach(
              group -> {
                assertThat(group.receivedBytes())
                    .isEqualTo(8 * 20 * collective.received(group.size(), group.index(), 10));
                group.close();
              });
          return null;
        });
  }

  private static void callOften(CollectiveCase collective, Communicator group) {
    Mode[] modes = Mode.values();
    for (int round = 0; round < 20; round++) {
      assertThat(collective.call(group, 10, modes[round % modes.length]))
          .isEqualTo(collective.expected(group.size(), group.index(), 10));
    }
  }

  private static void finish(FutureTask<Void> call) {
    try {
      call.get();
    } catch (InterruptedException | ExecutionException e) {
      throw new IllegalStateException(e);
    }
  }
}
