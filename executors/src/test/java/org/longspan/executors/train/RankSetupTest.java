package org.longspan.executors.train;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.longspan.executors.configuration.RunConfiguration;
import org.longspan.executors.model.ModelShape;
import org.longspan.parallelism.collective.ElementType;
import org.longspan.parallelism.collective.ScanChoice;
import org.longspan.parallelism.collective.ScanCosts;
import org.longspan.parallelism.collective.Scans;
import org.longspan.parallelism.collective.StateShape;
import org.longspan.parallelism.collective.TransitionKind;
import org.longspan.parallelism.mesh.Mesh;
import org.longspan.parallelism.transport.InProcessTransport;
import org.longspan.parallelism.transport.LocalRanks;

@Timeout(120)
class RankSetupTest {
  private static final int RANKS = 4;
  private static final int WIDTH = 512;
  private static final int VOCABULARY = 19;

  private static final Pattern MEMORY =
      Pattern.compile("recomputes: layers hold ([\\d,]+) MiB instead of ([\\d,]+)");

  /** Far beyond what a message takes in memory. */
  private static final Duration DELAY = Duration.ofMillis(5);

  @ParameterizedTest
  @CsvSource({"true, true", "false, false"})
  void shouldSayWhatRecomputingSaves(boolean recompute, boolean said) {
    RunConfiguration configuration =
        RunConfiguration.parse(
            "model: {width: 64, heads: 1, layers: 4, feed-forward: 256, pattern: [lightning]}\n"
                + "kernel: cpu",
            "test.yaml",
            Map.of("train.recompute", Boolean.toString(recompute)));
    Matcher memory = MEMORY.matcher(descriptionOfOneRank(configuration, 8_192));
    assertThat(memory.find()).isEqualTo(said);
    if (said) {
      assertThat(number(memory.group(1))).isPositive().isLessThan(number(memory.group(2)));
    }
  }

  private static long number(String digits) {
    return Long.parseLong(digits.replace(",", ""));
  }

  private static String descriptionOfOneRank(RunConfiguration configuration, int tokens) {
    return LocalRanks.run(
            InProcessTransport.connect(1, Duration.ofSeconds(60)),
            transport -> {
              try (RankSetup setup =
                  new RankSetup(
                      configuration,
                      ModelShape.of(configuration, VOCABULARY),
                      new Mesh(1, 1, 1),
                      transport,
                      1,
                      tokens,
                      RankSetup.BLOCK)) {
                return setup.description();
              }
            })
        .get(0);
  }

  /** Over a usual network the chain is faster for this state, over so slow a one the log-scan. */
  @Test
  void shouldChooseTheScanForTheLinksThatItMeasures() {
    RunConfiguration configuration =
        RunConfiguration.parse(
            "model: {width: 512, heads: 1, layers: 1, feed-forward: 16, pattern: [lightning]}\n"
                + "kernel: cpu",
            "test.yaml",
            Map.of());
    List<String> descriptions =
        LocalRanks.run(
            InProcessTransport.connect(RANKS, Duration.ofSeconds(60)),
            transport -> {
              try (RankSetup setup =
                  new RankSetup(
                      configuration,
                      ModelShape.of(configuration, VOCABULARY),
                      new Mesh(1, RANKS, 1),
                      new SlowTransport(transport, DELAY),
                      1,
                      RANKS,
                      1)) {
                assertThat(forAUsualNetwork(setup)).startsWith("chain in ");
                return setup.description();
              }
            });
    assertThat(descriptions).containsOnly(descriptions.get(0));
    assertThat(descriptions.get(0)).contains("log-scan, chosen for ");
  }

  private static String forAUsualNetwork(RankSetup setup) {
    StateShape shape = new StateShape(ElementType.FLOAT, 1, WIDTH, WIDTH);
    return Scans.of(
            ScanChoice.AUTO,
            setup.environment().sequence(),
            shape,
            TransitionKind.DIAGONAL,
            0,
            ScanCosts.USUAL)
        .description();
  }
}
