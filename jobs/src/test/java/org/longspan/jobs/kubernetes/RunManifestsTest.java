package org.longspan.jobs.kubernetes;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.longspan.datapipeline.InvalidInputException;
import org.longspan.driver.plan.ResourcePlan;

class RunManifestsTest {
  /** Set, the examples are written instead of compared. */
  private static final boolean RENDER = Boolean.getBoolean("longspan.render");

  @ParameterizedTest
  @MethodSource("variants")
  void shouldKeepTheRenderedExamplesInStep(Operator operator, Runs.Variant variant)
      throws IOException {
    Path file =
        Path.of(
            "../k8s/overlays",
            operator.name().toLowerCase(Locale.ROOT),
            variant.name().toLowerCase(Locale.ROOT),
            "run.yaml");
    String text =
        "# Rendered by longspan submit --to kubernetes --dry-run; a test keeps it in step.\n"
            + RunManifests.yaml(RunManifests.of(Runs.run(operator, variant)));
    if (RENDER) {
      Files.createDirectories(file.getParent());
      Files.writeString(file, text);
    }
    assertThat(file).content().isEqualTo(text);
  }

  static Stream<Arguments> variants() {
    return Stream.of(Operator.values())
        .flatMap(
            operator ->
                Stream.of(Runs.Variant.values()).map(variant -> Arguments.of(operator, variant)));
  }

  @ParameterizedTest
  @EnumSource
  void shouldSizeExecutorsAsThePlanSays(Operator operator) {
    KubernetesRun run = Runs.run(operator, Runs.Variant.CPU);
    ResourcePlan plan = run.plan();
    String yaml = RunManifests.yaml(RunManifests.of(run));
    assertThat(yaml)
        .contains(plan.heapMebibytes() + "m")
        .contains(plan.overheadMebibytes() + "m")
        .contains("-Dorg.bytedeco.javacpp.maxphysicalbytes=" + plan.containerMebibytes() + "m")
        .contains("spark.task.cpus: \"4\"")
        .contains("spark.dynamicAllocation.enabled: \"false\"")
        .contains("spark.scheduler.minRegisteredResourcesRatio: \"1.0\"");
    assertThat(yaml).contains(operator == Operator.KUBEFLOW ? "instances: 4" : "initExecutors: 4");
  }

  @ParameterizedTest
  @EnumSource
  void shouldTakeEveryRightAwayThatAPodDoesNotNeed(Operator operator) {
    for (String pod : List.of("spark-kubernetes-driver", "spark-kubernetes-executor")) {
      assertThat(RunManifests.yaml(RunManifests.of(Runs.run(operator, Runs.Variant.CPU))))
          .containsSubsequence(
              "runAsNonRoot: true",
              "type: RuntimeDefault",
              "name: " + pod,
              "allowPrivilegeEscalation: false",
              "- ALL");
    }
    assertThat(RunManifests.yaml(RunManifests.of(Runs.run(operator, Runs.Variant.CPU))))
        .containsSubsequence(
            "longspan.org/part: rank",
            "automountServiceAccountToken: false",
            "name: spark-kubernetes-executor")
        .containsOnlyOnce("automountServiceAccountToken");
  }

  @Test
  void shouldGiveTheWholeRunToAGangScheduler() {
    Map<String, String> yunikorn =
        RunManifests.settings(Runs.run(Operator.APACHE, Runs.Variant.YUNIKORN));
    assertThat(yunikorn)
        .containsEntry("spark.kubernetes.scheduler.name", "yunikorn")
        .containsEntry("spark.kubernetes.driver.label.queue", "root.training");
    assertThat(yunikorn.get("spark.kubernetes.driver.annotation.yunikorn.apache.org/task-groups"))
        .contains("\"name\":\"ranks\",\"minMember\":4,\"minResource\":{\"cpu\":\"4\"");
    assertThat(RunManifests.of(Runs.run(Operator.APACHE, Runs.Variant.VOLCANO)))
        .extracting(manifest -> manifest.get("kind"))
        .containsExactly("ConfigMap", "PodGroup", "SparkApplication");
  }

  @ParameterizedTest
  @EnumSource
  void shouldLetTheUsersSettingsGoBeforeItsOwn(Operator operator) {
    assertThat(
            RunManifests.yaml(
                RunManifests.of(withSetting(operator, "spark.executor.memoryOverhead", "99g"))))
        .contains("emoryOverhead: 99g");
  }

  @Test
  void shouldRefuseASettingThatAnOptionSays() {
    assertThatThrownBy(() -> withSetting(Operator.KUBEFLOW, "spark.executor.cores", "2"))
        .isInstanceOf(InvalidInputException.class)
        .hasMessage("spark.executor.cores cannot be set for a run on Kubernetes; use --cores.");
  }

  private static KubernetesRun withSetting(Operator operator, String key, String value) {
    KubernetesRun run = Runs.run(operator, Runs.Variant.CPU);
    return new KubernetesRun(
        run.name(),
        run.namespace(),
        run.operator(),
        run.image(),
        run.sparkVersion(),
        run.serviceAccount(),
        run.configuration(),
        run.arguments(),
        run.plan(),
        Optional.empty(),
        Optional.empty(),
        Gang.NONE,
        Optional.empty(),
        false,
        Map.of(key, value));
  }

  @Test
  void shouldRefuseANameThatKubernetesWould() {
    KubernetesRun run = Runs.run(Operator.APACHE, Runs.Variant.CPU);
    assertThatThrownBy(
            () ->
                new KubernetesRun(
                    "My run",
                    run.namespace(),
                    run.operator(),
                    run.image(),
                    run.sparkVersion(),
                    run.serviceAccount(),
                    run.configuration(),
                    run.arguments(),
                    run.plan(),
                    run.claim(),
                    run.secret(),
                    run.gang(),
                    run.queue(),
                    run.prometheus(),
                    run.settings()))
        .isInstanceOf(InvalidInputException.class)
        .hasMessageContaining("'My run'")
        .hasMessageContaining("--name");
  }
}
