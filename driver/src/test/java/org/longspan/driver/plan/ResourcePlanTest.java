package org.longspan.driver.plan;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Map;
import org.junit.jupiter.api.Test;
import org.longspan.driver.plan.ResourcePlan.Device;
import org.longspan.executors.configuration.RunConfiguration;

class ResourcePlanTest {
  private static final int VOCABULARY = 258;

  @Test
  void shouldAskForAnExecutorOfSoManyCoresForEachRank() {
    ResourcePlan plan = plan(Map.of("mesh.sequence", "4", "mesh.data", "2", "data.batch", "2"), 3);
    assertThat(plan.ranks()).isEqualTo(8);
    assertThat(plan.settings())
        .containsEntry("spark.executor.instances", "8")
        .containsEntry("spark.executor.cores", "3")
        .containsEntry("spark.task.cpus", "3")
        .containsEntry("spark.cores.max", "24")
        .doesNotContainKey("spark.executor.resource.gpu.amount");
  }

  @Test
  void shouldHoldTheArenaTwiceAsLargeForTwiceTheTokens() {
    long half = plan(Map.of("mesh.sequence", "2"), 1).offHeapMebibytes();
    long whole = plan(Map.of(), 1).offHeapMebibytes();
    assertThat(whole).isGreaterThan((long) (1.6 * half)).isLessThan(2 * half);
    assertThat(plan(Map.of("train.recompute", "true"), 1).offHeapMebibytes())
        .isLessThan(whole * 3 / 4);
  }

  @Test
  void shouldLeaveRoomForTheJvmAndLimitWhatLiesBesideTheHeap() {
    ResourcePlan plan = plan(Map.of(), 2);
    assertThat(plan.overheadMebibytes()).isGreaterThanOrEqualTo(plan.offHeapMebibytes() + 512);
    assertThat(plan.settings().get("spark.executor.extraJavaOptions"))
        .contains("-XX:+UseShenandoahGC")
        .contains("-Dorg.bytedeco.javacpp.maxbytes=" + plan.offHeapMebibytes() + "m")
        .contains("-Dorg.bytedeco.javacpp.maxphysicalbytes=" + plan.containerMebibytes() + "m");
    assertThat(plan.settings())
        .containsEntry("spark.executor.memory", plan.heapMebibytes() + "m")
        .containsEntry("spark.executor.memoryOverhead", plan.overheadMebibytes() + "m");
  }

  @Test
  void shouldAskForAGpuOfEachRankAndRoomToStageForIt() {
    ResourcePlan plan =
        ResourcePlan.of(
            RunConfiguration.parse("mesh: {sequence: 2}", "the test", Map.of()),
            VOCABULARY,
            65_536,
            2,
            Device.GPU);
    assertThat(plan.settings())
        .containsEntry("spark.executor.resource.gpu.amount", "1")
        .containsEntry("spark.task.resource.gpu.amount", "1")
        .containsEntry(
            "spark.resources.discoveryPlugin", "org.longspan.driver.launch.OpenClDiscovery");
    assertThat(plan.heapMebibytes())
        .isGreaterThan(plan(Map.of("mesh.sequence", "2"), 2).heapMebibytes());
  }

  private static ResourcePlan plan(Map<String, String> overrides, int cores) {
    return ResourcePlan.of(
        RunConfiguration.parse("model: {width: 256}", "the test", overrides),
        VOCABULARY,
        65_536,
        cores,
        Device.PROCESSOR);
  }
}
