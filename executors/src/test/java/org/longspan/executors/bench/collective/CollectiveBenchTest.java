package org.longspan.executors.bench.collective;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.longspan.parallelism.transport.Protection;

class CollectiveBenchTest {
  private static final long STATE = 1 << 20;

  @Test
  void shouldMeasureEveryCollectiveOnBothStates() {
    CollectiveBench.OfRanks measured = new CollectiveBench(1, Protection.AUTHENTICATED).run(3);
    assertThat(measured.results())
        .extracting(CollectiveResult::collective)
        .containsExactly(twice());
    assertThat(measured.results())
        .allSatisfy(
            result -> {
              assertThat(result.ranks()).isEqualTo(3);
              assertThat(result.medianSeconds()).isPositive();
              assertThat(result.predictedSeconds()).isPositive();
            });
    assertReceived(measured, "scan-chain", STATE, STATE);
    assertReceived(measured, "scan-chain", 4 * STATE, 4 * STATE);
    assertReceived(measured, "scan-replay", STATE, STATE);
    assertReceived(measured, "all-gather", STATE, 2 * STATE);
    assertThat(measured.results())
        .allSatisfy(
            result ->
                assertThat(result.ratio())
                    .isEqualTo(
                        result.medianSeconds()
                            / result(measured, "all-gather", result.stateBytes()).medianSeconds()));
  }

  private static String[] twice() {
    List<String> names =
        List.of(
            "scan-chain",
            "scan-log",
            "scan-replay",
            "lasp1",
            "lasp2",
            "all-gather",
            "all-reduce",
            "reduce-scatter",
            "all-to-all",
            "broadcast");
    return Stream.concat(names.stream(), names.stream()).toArray(String[]::new);
  }

  private static void assertReceived(
      CollectiveBench.OfRanks measured, String collective, long stateBytes, long received) {
    assertThat(result(measured, collective, stateBytes).receivedBytes()).isEqualTo(received);
  }

  private static CollectiveResult result(
      CollectiveBench.OfRanks measured, String collective, long stateBytes) {
    return measured.results().stream()
        .filter(result -> result.collective().equals(collective))
        .filter(result -> result.stateBytes() == stateBytes)
        .findFirst()
        .orElseThrow();
  }
}
