package org.longspan.driver.launch;

import static org.assertj.core.api.Assertions.assertThat;

import org.apache.spark.SparkConf;
import org.junit.jupiter.api.Test;

class SparkSettingsTest {
  private static final String OURS = EventPlugin.class.getName();

  @Test
  void shouldSetWhatTheUserHasNot() {
    SparkConf conf = SparkSettings.apply(new SparkConf(false));

    assertThat(conf.get("spark.dynamicAllocation.enabled")).isEqualTo("false");
    assertThat(conf.get("spark.plugins")).isEqualTo(OURS);
    assertThat(conf.contains("spark.scheduler.maxRegisteredResourcesWaitingTime")).isFalse();
  }

  @Test
  void shouldLeaveTheUsersOwn() {
    SparkConf conf =
        new SparkConf(false)
            .set("spark.barrier.sync.timeout", "7s")
            .set("spark.executor.instances", "4")
            .set("spark.plugins", "a.B");

    SparkSettings.apply(SparkSettings.apply(conf));

    assertThat(conf.get("spark.barrier.sync.timeout")).isEqualTo("7s");
    assertThat(conf.get("spark.plugins")).isEqualTo("a.B," + OURS);
    assertThat(conf.get("spark.scheduler.maxRegisteredResourcesWaitingTime")).isEqualTo("300s");
  }
}
