package org.longspan.executors.train;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.longspan.executors.configuration.RunConfiguration;
import org.longspan.executors.model.ModelShape;
import org.longspan.parallelism.mesh.Mesh;
import org.longspan.parallelism.transport.InProcessTransport;
import org.longspan.parallelism.transport.Transport;

class RankMemoryTest {
  private static final int TOKENS = 2_000;
  private static final int VOCABULARY = 40;

  @ParameterizedTest
  @CsvSource({
    "false, false, 1, 0, float",
    "true, false, 2, 0, float",
    "false, true, 2, 3, float",
    "false, false, 3, 4, double"
  })
  void shouldCountWhatARankThenHolds(
      boolean recompute, boolean deterministic, int threads, int convolution, String precision) {
    RunConfiguration configuration =
        RunConfiguration.parse(
            "{model: {width: 32, heads: 2, layers: 5, window: 700,"
                + " pattern: [lightning, simple-gla, gla, gated-delta, local]}, kernel: cpu}",
            "the test",
            Map.of(
                "train.recompute", Boolean.toString(recompute),
                "deterministic", Boolean.toString(deterministic),
                "model.convolution", Integer.toString(convolution),
                "precision", precision));
    ModelShape shape = ModelShape.of(configuration, VOCABULARY);
    RankMemory memory = RankMemory.of(configuration, shape, TOKENS, threads);
    try (Transport transport = InProcessTransport.connect(1, Duration.ofSeconds(1)).get(0);
        RankSetup setup =
            new RankSetup(
                configuration,
                shape,
                new Mesh(1, 1, 1),
                transport,
                threads,
                TOKENS,
                RankSetup.BLOCK)) {
      int bytes = setup.environment().numerics().precision().bytes();
      assertThat(memory.layers()).isEqualTo(setup.environment().arena().bytes());
      assertThat(memory.parameters()).isEqualTo(4L * bytes * setup.model().size());
      assertThat(memory.activations()).isEqualTo((7L * 32 + 1) * TOKENS * bytes);
      assertThat(memory.messages()).isZero();
    }
  }

  @ParameterizedTest
  @CsvSource({"1, 4", "2, 2", "4, 1"})
  void shouldPlanForTheLongestSliceAndTheTravellingGradient(int sequence, int data) {
    Map<String, String> mesh = new HashMap<>();
    mesh.put("mesh.sequence", Integer.toString(sequence));
    mesh.put("mesh.data", Integer.toString(data));
    mesh.put("data.batch", Integer.toString(data));
    RunConfiguration configuration =
        RunConfiguration.parse("model: {width: 32, heads: 2, layers: 1}", "the test", mesh);
    ModelShape shape = ModelShape.of(configuration, VOCABULARY);
    RankMemory memory = RankMemory.of(configuration, shape, 4 * RankSetup.BLOCK, 1);
    assertThat(memory.activations())
        .isEqualTo((3L * 32 + 1) * 4 * RankSetup.BLOCK / sequence * Float.BYTES);
    assertThat(memory.messages()).isEqualTo(memory.parameters() / 4).isPositive();
  }
}
