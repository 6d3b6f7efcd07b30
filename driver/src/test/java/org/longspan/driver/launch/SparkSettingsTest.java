package org.longspan.driver.launch;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import org.apache.spark.SparkConf;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class SparkSettingsTest {
  private static final String OURS = EventPlugin.class.getName();
  private static final Duration LIMIT = Duration.ofMinutes(2);

  @Test
  void shouldSetWhatTheUserHasNot() {
    SparkConf conf = SparkSettings.apply(new SparkConf(false), LIMIT);

    assertThat(conf.get("spark.dynamicAllocation.enabled")).isEqualTo("false");
    assertThat(conf.get("spark.plugins")).isEqualTo(OURS);
    assertThat(conf.contains("spark.scheduler.maxRegisteredResourcesWaitingTime")).isFalse();
  }

  @ParameterizedTest
  @CsvSource({"PT2M, 120s", "PT10M, 600s", "PT45.1S, 46s", "PT45S, 45s", "PT30S, 30s", "PT1S, 30s"})
  void shouldWaitAtTheRendezvousAsLongAsForAMessageButNoLessThanAStartTakes(
      Duration timeLimit, String expected) {
    SparkConf conf = SparkSettings.apply(new SparkConf(false), timeLimit);

    assertThat(conf.get("spark.barrier.sync.timeout")).isEqualTo(expected);
  }

  /** Elsewhere a shell would put its own value in the place of the variable. */
  @Test
  void shouldKeepJavasSignalsOnAStandaloneClustersWorkers() {
    assertThat(SparkSettings.ofMaster("spark://host:7077"))
        .containsEntry("spark.executorEnv.LD_PRELOAD", "$ORIGIN/../lib/libjsig.so");
    assertThat(SparkSettings.ofMaster("yarn")).isEmpty();
  }

  @Test
  void shouldLeaveTheUsersOwn() {
    SparkConf conf =
        new SparkConf(false)
            .set("spark.barrier.sync.timeout", "7s")
            .set("spark.executor.instances", "4")
            .set("spark.plugins", "a.B");

    SparkSettings.apply(SparkSettings.apply(conf, LIMIT), LIMIT);

    assertThat(conf.get("spark.barrier.sync.timeout")).isEqualTo("7s");
    assertThat(conf.get("spark.plugins")).isEqualTo("a.B," + OURS);
    assertThat(conf.get("spark.scheduler.maxRegisteredResourcesWaitingTime")).isEqualTo("300s");
  }
}
