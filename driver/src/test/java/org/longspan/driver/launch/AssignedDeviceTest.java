package org.longspan.driver.launch;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeFalse;

import com.aparapi.device.Device;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import org.apache.spark.SparkConf;
import org.apache.spark.resource.ResourceID;
import org.apache.spark.resource.ResourceInformation;
import org.apache.spark.resource.ResourceRequest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.longspan.datapipeline.InvalidInputException;
import org.longspan.driver.plan.LaunchPlan;
import org.longspan.executors.opencl.OpenClDevices;
import org.longspan.executors.train.RankEvent;
import org.longspan.executors.train.RankProgram;
import org.longspan.parallelism.mesh.Mesh;

@Timeout(value = 120, unit = TimeUnit.SECONDS, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class AssignedDeviceTest {
  private static final Duration LIMIT = Duration.ofSeconds(30);

  @Test
  void shouldListOnlyGpusUnlessToldOtherwise() {
    int all = OpenClDevices.all().size();
    int gpus =
        Math.toIntExact(
            OpenClDevices.all().stream()
                .filter(device -> device.getType() == Device.TYPE.GPU)
                .count());
    SparkConf any = new SparkConf(false).set(OpenClDiscovery.ANY_DEVICE, "true");

    assertThat(discovered("gpu", new SparkConf(false))).hasSize(gpus);
    assertThat(discovered("gpu", any)).hasSize(all);
    assertThat(new OpenClDiscovery().discoverResource(request("fpga"), any)).isEmpty();
  }

  private static String[] discovered(String resource, SparkConf conf) {
    return new OpenClDiscovery()
        .discoverResource(request(resource), conf)
        .orElseThrow()
        .addresses();
  }

  private static ResourceRequest request(String resource) {
    return new ResourceRequest(
        new ResourceID("spark.executor", resource), 1, Optional.empty(), Optional.empty());
  }

  @Test
  void shouldRefuseWhatIsNoDevice() {
    assertThatThrownBy(() -> use("GPU-1f2e"))
        .isInstanceOf(InvalidInputException.class)
        .hasMessageStartingWith("Spark assigned the device 'GPU-1f2e', which is no index");
    assertThatThrownBy(() -> use("99"))
        .isInstanceOf(InvalidInputException.class)
        .hasMessageStartingWith("OpenCL device 99 was assigned to this process, which sees ");
    assertThatThrownBy(() -> use("0", "1"))
        .isInstanceOf(InvalidInputException.class)
        .hasMessageStartingWith("Spark assigned 2 devices to a rank");
    AssignedDevice.use(Map.of());
    assertThat(OpenClDevices.assigned()).isEmpty();
  }

  private static void use(String... addresses) {
    AssignedDevice.use(Map.of("gpu", new ResourceInformation("gpu", addresses)));
  }

  @Test
  void shouldGiveEachRankTheDeviceThatSparkAssigned() {
    assumeFalse(OpenClDevices.all().isEmpty(), "no OpenCL device on this machine");
    List<RankEvent> events = Collections.synchronizedList(new ArrayList<>());
    Map<String, String> settings =
        Map.of(
            "spark.resources.discoveryPlugin",
            OpenClDiscovery.class.getName(),
            OpenClDiscovery.ANY_DEVICE,
            "true",
            "spark.worker.resource.gpu.amount",
            "1",
            "spark.executor.resource.gpu.amount",
            "1",
            "spark.task.resource.gpu.amount",
            "1");
    RankProgram program =
        context ->
            context.report(
                new RankEvent.Step(
                    context.transport().rank(), OpenClDevices.assigned().orElse(-1), 1, 1, 1, 1));
    try (EmbeddedSpark spark =
        EmbeddedSpark.start("devices", new EmbeddedCluster(2, 1, 1024, 512), settings, LIMIT)) {
      Launcher.run(
          spark.context(),
          LaunchPlan.of(new Mesh(1, 2, 1), () -> "hash").withTimeLimit(LIMIT),
          program,
          events::add);
    }

    assertThat(events)
        .filteredOn(RankEvent.Step.class::isInstance)
        .extracting(event -> ((RankEvent.Step) event).loss())
        .containsExactly(0.0, 0.0);
  }
}
