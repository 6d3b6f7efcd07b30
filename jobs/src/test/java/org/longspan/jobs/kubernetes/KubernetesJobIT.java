package org.longspan.jobs.kubernetes;

import static org.assertj.core.api.Assertions.assertThat;

import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.client.KubernetesClient;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledIfEnvironmentVariable;
import org.junit.jupiter.api.io.TempDir;
import org.longspan.driver.plan.ResourcePlan;
import org.longspan.driver.plan.ResourcePlan.Device;
import org.longspan.executors.configuration.RunConfiguration;
import org.longspan.jobs.ReferenceRun;
import org.longspan.jobs.SmallDataset;
import org.longspan.jobs.Waiting;

/**
 * The training job in cluster mode against a real API server, under the manifests' service account,
 * pod templates and settings. Its pods are processes of this machine, which a script that stands
 * for a kubelet runs.
 */
@EnabledIfEnvironmentVariable(
    named = RealApiServer.BINARY,
    matches = ".+",
    disabledReason = "LONGSPAN_KUBE_APISERVER names no kube-apiserver")
@EnabledIfEnvironmentVariable(
    named = ProcessKubelet.SCRIPT,
    matches = ".+",
    disabledReason = "LONGSPAN_KUBELET names no script that runs pods as processes")
@EnabledIfEnvironmentVariable(
    named = "LONGSPAN_SPARK_HOME",
    matches = ".+",
    disabledReason = "LONGSPAN_SPARK_HOME names no Spark distribution")
class KubernetesJobIT {
  private static final String NAMESPACE = ClusterSetup.NAMESPACE;
  @TempDir Path folder;
  private final String spark = System.getenv("LONGSPAN_SPARK_HOME");

  @Test
  void shouldTrainInClusterModeUnderTheManifestsServiceAccount() throws Exception {
    String data = SmallDataset.prepare(folder);
    Path output = folder.resolve("run");
    KubernetesRun run = run(data, output);
    try (RealApiServer server = RealApiServer.start(folder);
        KubernetesClient admin = server.client(RealApiServer.ADMIN)) {
      ClusterSetup.createNamespace(admin);
      List<Map<String, Object>> manifests = RunManifests.of(run);
      Path manifest =
          Files.writeString(
              folder.resolve("configuration.yaml"), RunManifests.yaml(manifests.subList(0, 1)));
      ClusterSetup.create(admin, manifest);
      try (ProcessKubelet kubelet = ProcessKubelet.start(server, folder)) {
        Process submit = submit(server, run);
        assertThat(Waiting.forEnd(submit)).as(folder.resolve("submit.log").toString()).isZero();
        Optional<Pod> driver =
            admin
                .pods()
                .inNamespace(NAMESPACE)
                .withLabel("longspan.org/part", "driver")
                .list()
                .getItems()
                .stream()
                .findFirst();
        assertThat(driver).isPresent();
        assertThat(driver.get().getStatus().getPhase())
            .as(Files.readString(kubelet.log(driver.get().getMetadata().getName())))
            .isEqualTo("Succeeded");
        assertThat(driver.get().getSpec().getServiceAccountName()).isEqualTo("longspan-driver");
        Waiting.until(
            "the ranks' pods are gone",
            () ->
                admin
                    .pods()
                    .inNamespace(NAMESPACE)
                    .withLabel("longspan.org/part", "rank")
                    .list()
                    .getItems()
                    .isEmpty());
      }
    }
    assertThat(ReferenceRun.losses(output)).isEqualTo(ReferenceRun.train(folder, data));
  }

  private KubernetesRun run(String data, Path output) {
    RunConfiguration configuration =
        RunConfiguration.parse(ReferenceRun.CONFIGURATION, "the test", Map.of("data.path", data));
    return new KubernetesRun(
        "job",
        NAMESPACE,
        Operator.KUBEFLOW,
        ProcessKubelet.IMAGE,
        "4.1.3",
        "longspan-driver",
        configuration.toYaml(),
        List.of("--output", output.toString()),
        ResourcePlan.of(configuration, 258, 2048, 1, Device.PROCESSOR),
        Optional.empty(),
        Optional.empty(),
        Gang.NONE,
        Optional.empty(),
        false,
        Map.of());
  }

  /** What an operator does: the settings, and the templates as files. */
  private Process submit(RealApiServer server, KubernetesRun run) throws IOException {
    List<String> command =
        new ArrayList<>(
            List.of(
                spark + "/bin/spark-submit",
                "--master",
                "k8s://" + server.url(),
                "--deploy-mode",
                "cluster",
                "--name",
                run.name(),
                "--class",
                "org.longspan.jobs.Longspan"));
    RunManifests.settings(run)
        .forEach((key, value) -> command.addAll(List.of("--conf", key + "=" + value)));
    for (Map.Entry<String, String> setting :
        Map.of(
                "spark.kubernetes.authenticate.submission.oauthToken",
                RealApiServer.ADMIN,
                "spark.kubernetes.trust.certificates",
                "true",
                "spark.kubernetes.driver.podTemplateFile",
                template("driver", PodTemplate.driver(run)),
                "spark.kubernetes.executor.podTemplateFile",
                template("executor", PodTemplate.executor(run)))
            .entrySet()) {
      command.addAll(List.of("--conf", setting.getKey() + "=" + setting.getValue()));
    }
    command.add("local://" + RunManifests.APPLICATION);
    command.addAll(List.of("train", "--config", "/etc/longspan/run.yaml"));
    command.addAll(run.arguments());
    return ClusterProcess.start(folder, "submit", Map.of(), command);
  }

  private String template(String name, Map<String, Object> template) throws IOException {
    Map<String, Object> pod = Tree.of("apiVersion", "v1", "kind", "Pod");
    pod.putAll(template);
    return Files.writeString(folder.resolve(name + ".yaml"), RunManifests.yaml(List.of(pod)))
        .toString();
  }
}
