package org.longspan.driver.launch;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.Map;
import org.junit.jupiter.api.Test;
import org.longspan.datapipeline.InvalidInputException;

class EmbeddedSparkTest {
  @Test
  void shouldSayWhichEnvironmentVariableIsMissing() {
    Map<String, String> environment = Map.of("SPARK_TESTING", "1", "SPARK_HOME", "/home");

    assertThatThrownBy(() -> EmbeddedSpark.checkEnvironment(environment))
        .isInstanceOf(InvalidInputException.class)
        .hasMessageContaining("and SPARK_SCALA_VERSION is missing; bin/longspan sets them.");
    assertThatCode(() -> EmbeddedSpark.checkEnvironment(System.getenv()))
        .doesNotThrowAnyException();
  }

  @Test
  void shouldShareTheMachinesMemory() {
    EmbeddedCluster two = EmbeddedCluster.of(2);
    EmbeddedCluster thousand = EmbeddedCluster.of(1000);

    assertThat(two.master()).isEqualTo("local-cluster[2,1,1024]");
    assertThat(two.offHeapMegabytes()).isGreaterThanOrEqualTo(thousand.offHeapMegabytes());
    assertThat(thousand.offHeapMegabytes()).isEqualTo(1024);
    assertThat(two.withHeap(512).withCores(2).withOffHeap(100))
        .isEqualTo(new EmbeddedCluster(2, 2, 512, 100));
  }
}
