package org.longspan.jobs.kubernetes;

import static org.assertj.core.api.Assertions.assertThat;

import io.fabric8.kubernetes.api.model.Container;
import io.fabric8.kubernetes.api.model.Node;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.Quantity;
import io.fabric8.kubernetes.api.model.Volume;
import io.fabric8.kubernetes.client.KubernetesClient;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledIfEnvironmentVariable;
import org.junit.jupiter.api.io.TempDir;
import org.longspan.jobs.CommandProcess;
import org.longspan.jobs.GuideQuotes;
import org.longspan.jobs.ReferenceRun;
import org.longspan.jobs.SmallDataset;
import org.longspan.jobs.Waiting;

/**
 * Runs under Kubeflow's own operator, on a real API server, by {@code bin/longspan submit --wait}
 * of a user with the rights of k8s/base. Their pods are processes of this machine.
 */
@EnabledIfEnvironmentVariable(
    named = KubeflowOperator.BINARY,
    matches = ".+",
    disabledReason = "LONGSPAN_KUBEFLOW_OPERATOR names no operator")
@EnabledIfEnvironmentVariable(
    named = KubeflowOperator.CONTROLLER_MANAGER,
    matches = ".+",
    disabledReason = "LONGSPAN_KUBE_CONTROLLER_MANAGER names no kube-controller-manager")
@EnabledIfEnvironmentVariable(
    named = RealApiServer.BINARY,
    matches = ".+",
    disabledReason = "LONGSPAN_KUBE_APISERVER names no kube-apiserver")
@EnabledIfEnvironmentVariable(
    named = ProcessKubelet.SCRIPT,
    matches = ".+",
    disabledReason = "LONGSPAN_KUBELET names no script that runs pods as processes")
@EnabledIfEnvironmentVariable(
    named = CrdSchema.FOLDER,
    matches = ".+",
    disabledReason = "LONGSPAN_CRDS names no folder with the operators' resource definitions")
@EnabledIfEnvironmentVariable(
    named = "LONGSPAN_SPARK_HOME",
    matches = ".+",
    disabledReason = "LONGSPAN_SPARK_HOME names no Spark distribution")
class KubeflowOperatorIT {
  private static final String NAMESPACE = ClusterSetup.NAMESPACE;

  @TempDir static Path folder;
  private static String data;
  private static RealApiServer server;
  private static KubernetesClient admin;
  private static ProcessKubelet kubelet;
  private static LogKubelet logs;
  private static KubeflowOperator operator;

  @BeforeAll
  static void startCluster() throws Exception {
    data = SmallDataset.prepare(folder);
    server = RealApiServer.start(folder);
    admin = server.client(RealApiServer.ADMIN);
    ClusterSetup.createNamespace(admin);
    ClusterSetup.createSubmitter(admin);
    ClusterSetup.define(admin, Operator.KUBEFLOW);
    kubelet = ProcessKubelet.start(server, folder);
    logs = LogKubelet.start(folder, kubelet);
    Waiting.until(
        "the node is there", () -> admin.nodes().withName(ProcessKubelet.NODE).get() != null);
    Node node = logs.node(ProcessKubelet.NODE);
    admin.resource(node).patchStatus();
    operator = KubeflowOperator.start(server, admin, folder);
  }

  @AfterAll
  static void stopCluster() throws Exception {
    if (operator != null) {
      operator.close();
    }
    if (logs != null) {
      logs.close();
    }
    if (kubelet != null) {
      kubelet.close();
    }
    if (admin != null) {
      admin.close();
    }
    if (server != null) {
      server.close();
    }
  }

  @Test
  void shouldTrainAndShowTheDriversOutput() throws Exception {
    try (CommandProcess submit = submit("good", "--data", data)) {
      assertThat(submit.end()).as(submit.text()).isZero();
      assertThat(submit.text())
          .containsOnlyOnce("step 4/4")
          .containsSubsequence("Created", "is at work", "step 4/4", "The run good succeeded");
    }
    assertThat(ReferenceRun.losses(folder.resolve("good")))
        .isEqualTo(ReferenceRun.train(folder, data));
  }

  @Test
  void shouldGiveDriverAndRanksWhatTheManifestAsksFor() throws Exception {
    List<Pod> pods = new ArrayList<>();
    try (CommandProcess submit =
        submit("pods", "--data", data, "--claim", "volume", "--secret", "store", "--cores", "1")) {
      Waiting.until(
          "driver and ranks are there",
          () -> {
            pods.clear();
            pods.addAll(pods("pods"));
            return pods.size() == 3 || !submit.process().isAlive();
          });
      assertThat(pods).as(submit.text()).hasSize(3);
      interrupt(submit);
      assertThat(submit.end()).isEqualTo(130);
    }
    assertNothingIsLeft("pods");
    for (Pod pod : pods) {
      assertThat(pod.getSpec().getSecurityContext().getRunAsNonRoot()).isTrue();
      assertThat(pod.getSpec().getSecurityContext().getSeccompProfile().getType())
          .isEqualTo("RuntimeDefault");
      assertThat(pod.getSpec().getVolumes())
          .anyMatch(
              volume ->
                  volume.getPersistentVolumeClaim() != null
                      && volume.getPersistentVolumeClaim().getClaimName().equals("volume"));
      assertThat(pod.getSpec().getContainers()).hasSize(1);
      Container container = pod.getSpec().getContainers().get(0);
      assertThat(container.getSecurityContext().getAllowPrivilegeEscalation()).isFalse();
      assertThat(container.getSecurityContext().getCapabilities().getDrop()).containsExactly("ALL");
      assertThat(container.getVolumeMounts())
          .anyMatch(mount -> mount.getMountPath().equals("/data"));
      assertThat(container.getEnvFrom())
          .anyMatch(source -> source.getSecretRef().getName().equals("store"));
      boolean driver = pod.getMetadata().getLabels().get(PodTemplate.PART).equals("driver");
      assertThat(pod.getSpec().getServiceAccountName()).isEqualTo("longspan-driver");
      assertThat(pod.getSpec().getVolumes().stream().anyMatch(KubeflowOperatorIT::holdsToken))
          .isEqualTo(driver);
      assertThat(container.getResources().getLimits())
          .containsEntry("memory", new Quantity(driver ? "2816Mi" : "2048Mi"));
    }
  }

  @Test
  void shouldGiveTheDriversOwnReason() throws Exception {
    String sentence =
        failure("missing", "--data", folder + "/nothing", "--sequence-length", "2048");
    assertThat(sentence)
        .startsWith(
            "longspan submit failed: The run missing failed on the cluster (FAILED): longspan train:")
        .contains(folder + "/nothing");
  }

  @Test
  void shouldSayInOneLineWhySparkCouldNotBeAskedForARun() throws Exception {
    String sentence = failure("account", "--data", data, "--service-account", "nobody");
    assertThat(sentence)
        .isEqualTo(
            "longspan submit failed: The run account failed on the cluster (FAILED): Kubernetes"
                + " refused what spark-submit asked for: pods \"account-driver\" is forbidden: error"
                + " looking up service account longspan/nobody: serviceaccount \"nobody\" not found.");
    GuideQuotes.assertQuoted(sentence);
  }

  @Test
  void shouldNameAnImageThatTheClusterCannotPull() throws Exception {
    assertThat(failure("image", "--data", data, "--image", "nowhere/longspan:1"))
        .startsWith("longspan submit failed: Pod image-driver cannot have the image nowhere");
  }

  @Test
  void shouldSayThatTheDriverWasKilled() throws Exception {
    try (CommandProcess submit = submit("killed", "--data", data, "--set", "train.steps=100000")) {
      submit.await("step \\d+/");
      kubelet.container("killed-driver").destroyForcibly();
      assertThat(submit.end()).isEqualTo(1);
      GuideQuotes.assertQuoted(lastLine(submit));
      assertThat(lastLine(submit))
          .isEqualTo(
              "longspan submit failed: The run killed failed on the cluster (FAILED): driver"
                  + " container failed with ExitCode: 137, Reason: Error.");
    }
    assertNothingIsLeft("killed");
  }

  @Test
  void shouldEndWhatSomebodyDeletes() throws Exception {
    try (CommandProcess submit = submit("deleted", "--data", data, "--set", "train.steps=100000")) {
      submit.await("step \\d+/");
      admin
          .genericKubernetesResources(Operator.KUBEFLOW.apiVersion(), "SparkApplication")
          .inNamespace(NAMESPACE)
          .withName("deleted")
          .delete();
      assertThat(submit.end()).isEqualTo(1);
      assertThat(lastLine(submit))
          .isEqualTo(
              "longspan submit failed: The run deleted was deleted from the cluster by somebody"
                  + " before it ended.");
    }
    assertNothingIsLeft("deleted");
  }

  /** Whether it holds the token by which a pod has its account's rights. */
  private static boolean holdsToken(Volume volume) {
    return volume.getProjected() != null
        && volume.getProjected().getSources().stream()
            .anyMatch(source -> source.getServiceAccountToken() != null);
  }

  private static CommandProcess submit(String name, String... arguments) throws IOException {
    Path configuration =
        Files.writeString(folder.resolve(name + ".yaml"), ReferenceRun.CONFIGURATION);
    List<String> line =
        new ArrayList<>(
            List.of(
                "submit",
                "--to",
                "kubernetes",
                "--operator",
                "kubeflow",
                "--config",
                configuration.toString(),
                "--output",
                folder.resolve(name).toString(),
                "--name",
                name,
                "--wait"));
    line.addAll(List.of(arguments));
    return CommandProcess.start(
        folder,
        Map.of("KUBECONFIG", server.kubeconfig(RealApiServer.SUBMITTER).toString()),
        line.toArray(String[]::new));
  }

  /** What a run that fails says last. */
  private static String failure(String name, String... arguments) throws Exception {
    try (CommandProcess submit = submit(name, arguments)) {
      assertThat(submit.end()).as(submit.text()).isEqualTo(1);
      assertNothingIsLeft(name);
      return lastLine(submit);
    }
  }

  private static String lastLine(CommandProcess process) throws IOException {
    return process.text().lines().reduce((first, second) -> second).orElse("");
  }

  private static void interrupt(CommandProcess submit) throws IOException, InterruptedException {
    String process = Long.toString(submit.process().pid());
    assertThat(Waiting.forEnd(new ProcessBuilder("kill", "-INT", process).start())).isZero();
  }

  private static List<Pod> pods(String run) {
    return admin.pods().inNamespace(NAMESPACE).withLabel(PodTemplate.LABEL, run).list().getItems();
  }

  private static void assertNothingIsLeft(String run) throws Exception {
    Waiting.until("the pods of " + run + " are gone", () -> pods(run).isEmpty());
    Waiting.until(
        "what else the run " + run + " had is gone",
        () ->
            admin.configMaps().inNamespace(NAMESPACE).list().getItems().stream()
                    .noneMatch(map -> map.getMetadata().getName().startsWith(run))
                && admin.services().inNamespace(NAMESPACE).list().getItems().stream()
                    .noneMatch(service -> service.getMetadata().getName().startsWith(run)));
    Waiting.until("the processes of " + run + " have ended", () -> kubelet.running() == 0);
  }
}
