package org.longspan.jobs.kubernetes;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.fabric8.kubernetes.api.model.ContainerState;
import io.fabric8.kubernetes.api.model.ContainerStateBuilder;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.PodBuilder;
import io.fabric8.kubernetes.api.model.authentication.TokenRequest;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientException;
import io.fabric8.kubernetes.client.dsl.base.PatchContext;
import io.fabric8.kubernetes.client.dsl.base.PatchType;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledIfEnvironmentVariable;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.longspan.datapipeline.InvalidInputException;
import org.longspan.jobs.CommandRunner;
import org.longspan.jobs.GuideQuotes;
import org.longspan.jobs.Waiting;

/** Submissions to a real API server, as a user who has the rights of k8s/base and no others. */
@EnabledIfEnvironmentVariable(
    named = RealApiServer.BINARY,
    matches = ".+",
    disabledReason = "LONGSPAN_KUBE_APISERVER names no kube-apiserver")
@EnabledIfEnvironmentVariable(
    named = CrdSchema.FOLDER,
    matches = ".+",
    disabledReason = "LONGSPAN_CRDS names no folder with the operators' resource definitions")
class KubernetesIT {
  private static final String NAMESPACE = ClusterSetup.NAMESPACE;
  private static final String NODE = "node";
  private static final String CONFIGURATION =
      "{data: {path: /data/corpus}, mesh: {sequence: 2}, model: {width: 64, layers: 2}}";

  @TempDir static Path folder;
  private static RealApiServer server;
  private static KubernetesClient admin;

  @BeforeAll
  static void startServer() throws Exception {
    server = RealApiServer.start(folder);
    admin = server.client(RealApiServer.ADMIN);
    ClusterSetup.createNamespace(admin);
    ClusterSetup.createSubmitter(admin);
    ClusterSetup.define(admin, Operator.values());
    System.setProperty("kubeconfig", server.kubeconfig(RealApiServer.SUBMITTER).toString());
  }

  @AfterAll
  static void stopServer() {
    System.clearProperty("kubeconfig");
    if (admin != null) {
      admin.close();
    }
    if (server != null) {
      server.close();
    }
  }

  @ParameterizedTest
  @EnumSource
  void shouldBeTakenWhateverTheVariant(Operator operator) {
    try (KubernetesCluster cluster = KubernetesCluster.connect(null)) {
      for (Runs.Variant variant : Runs.Variant.values()) {
        if (variant != Runs.Variant.VOLCANO) {
          Submission submission =
              new Submission(
                  cluster,
                  Runs.run(operator, variant),
                  news -> {},
                  OutputStream.nullOutputStream());
          submission.create();
          submission.cancel();
        }
      }
    }
    assertThat(admin.configMaps().inNamespace(NAMESPACE).withName("first-configuration").get())
        .isNull();
  }

  @ParameterizedTest
  @EnumSource
  @SuppressWarnings("unchecked")
  void shouldRefuseAFieldThatTheServerDoesNotKnow(Operator operator) {
    List<Map<String, Object>> manifests = RunManifests.of(Runs.run(operator, Runs.Variant.CPU));
    Map<String, Object> application = manifests.get(manifests.size() - 1);
    ((Map<String, Object>) application.get("spec")).put("executorz", Map.of());
    try (KubernetesCluster cluster = KubernetesCluster.connect(null)) {
      assertThatThrownBy(() -> cluster.create(application))
          .isInstanceOf(InvalidInputException.class)
          .hasMessageContaining("unknown field \"spec.executorz\"");
    }
  }

  @Test
  void shouldRefuseWhatTheServerHasNoKindFor() {
    try (KubernetesCluster cluster = KubernetesCluster.connect(null)) {
      Submission submission =
          new Submission(
              cluster,
              Runs.run(Operator.KUBEFLOW, Runs.Variant.VOLCANO),
              news -> {},
              OutputStream.nullOutputStream());
      assertThatThrownBy(submission::create)
          .isInstanceOf(InvalidInputException.class)
          .hasMessageContaining("Kubernetes refused to create PodGroup first-ranks");
    }
    assertThat(admin.configMaps().inNamespace(NAMESPACE).withName("first-configuration").get())
        .isNull();
  }

  @Test
  void shouldReturnKubeflowsEndAsExitCode() throws Exception {
    CompletableFuture<CommandRunner> good = submit(Operator.KUBEFLOW, "good");
    setStatus(Operator.KUBEFLOW, "good", kubeflow("RUNNING", ""));
    setStatus(Operator.KUBEFLOW, "good", kubeflow("COMPLETED", ""));
    assertThat(ended(good).exitCode()).isZero();

    CompletableFuture<CommandRunner> bad = submit(Operator.KUBEFLOW, "bad");
    setStatus(Operator.KUBEFLOW, "bad", kubeflow("FAILED", "driver was evicted"));
    assertThat(ended(bad).errors().strip())
        .isEqualTo(
            "longspan submit failed: The run bad failed on the cluster (FAILED): driver was evicted.");
    assertThat(ended(bad).exitCode()).isEqualTo(1);
    assertGone(Operator.KUBEFLOW, "bad");
  }

  @Test
  void shouldReturnApachesEndAsExitCode() throws Exception {
    CompletableFuture<CommandRunner> good = submit(Operator.APACHE, "fine");
    setStatus(Operator.APACHE, "fine", apache("Succeeded", ""));
    assertThat(ended(good).exitCode()).isZero();

    CompletableFuture<CommandRunner> bad = submit(Operator.APACHE, "poor");
    setStatus(Operator.APACHE, "poor", apache("DriverStartTimedOut", "No driver came"));
    assertFailed(
        ended(bad),
        "longspan submit failed: The run poor failed on the cluster (DriverStartTimedOut): No driver came.");
    assertGone(Operator.APACHE, "poor");
  }

  @Test
  void shouldSayThatSomebodyDeletedTheRun() throws Exception {
    CompletableFuture<CommandRunner> run = submit(Operator.KUBEFLOW, "killed");
    admin.raw(path(Operator.KUBEFLOW, "killed"), "DELETE", null);
    assertFailed(
        ended(run),
        "longspan submit failed: The run killed was deleted from the cluster by somebody before it ended.");
    assertGone(Operator.KUBEFLOW, "killed");
  }

  @Test
  void shouldNameAnImageThatCannotBePulled() throws Exception {
    CompletableFuture<CommandRunner> run = submit(Operator.APACHE, "image");
    pod("image", "Pending", waiting("ErrImagePull", "manifest unknown"));
    assertFailed(
        ended(run),
        "longspan submit failed: Pod image-driver cannot have the image longspan:latest (ErrImagePull:"
            + " manifest unknown); give one that the cluster can pull with --image.");
    assertGone(Operator.APACHE, "image");
  }

  @Test
  void shouldNameASecretThatIsMissing() throws Exception {
    CompletableFuture<CommandRunner> run = submit(Operator.KUBEFLOW, "secret");
    pod("secret", "Pending", waiting("CreateContainerConfigError", "secret \"store\" not found"));
    assertFailed(
        ended(run),
        "longspan submit failed: Pod secret-driver cannot start (CreateContainerConfigError: secret"
            + " \"store\" not found); create what is missing in the namespace longspan, or leave it out.");
    assertGone(Operator.KUBEFLOW, "secret");
  }

  /** The operator's word of a failure comes later than the kubelet's of the pod, or never. */
  @Test
  void shouldNameAPodThatTookTooMuchMemory() throws Exception {
    CompletableFuture<CommandRunner> run = submit(Operator.KUBEFLOW, "large");
    setStatus(Operator.KUBEFLOW, "large", kubeflow("RUNNING", ""));
    pod("large", "Failed", terminated(137, "OOMKilled"));
    assertFailed(
        ended(run),
        "longspan submit failed: Pod large-driver was killed because it took more memory than its"
            + " container has; give it more with --conf spark.driver.memoryOverhead.");
    assertGone(Operator.KUBEFLOW, "large");
  }

  @Test
  void shouldShowTheDriversLogWhileItIsWrittenOverABrokenConnectionToo() throws Exception {
    ByteArrayOutputStream shown = new ByteArrayOutputStream();
    WrittenLog log = new WrittenLog();
    try (LogKubelet kubelet = LogKubelet.start(folder, log);
        KubernetesCluster cluster = KubernetesCluster.connect(null)) {
      admin.resource(kubelet.node(NODE)).create();
      admin.resource(kubelet.node(NODE)).patchStatus();
      Submission submission =
          new Submission(cluster, Runs.run(Operator.KUBEFLOW, Runs.Variant.CPU), news -> {}, shown);
      submission.create();
      setStatus(Operator.KUBEFLOW, "first", kubeflow("RUNNING", ""));
      pod("first", "Running", new ContainerStateBuilder().withNewRunning().endRunning().build());
      CompletableFuture<RunFailure> failure =
          CompletableFuture.supplyAsync(() -> failure(submission));

      log.write("step 1/1000  loss 5.55");
      Waiting.until(
          "step 1 is shown",
          () -> shown.toString(StandardCharsets.UTF_8).contains("step 1/1000  loss 5.55\n"));
      log.breakOff();
      log.write("step 2/1000  loss 5.44");
      Waiting.until(
          "step 2 is shown",
          () -> shown.toString(StandardCharsets.UTF_8).contains("step 2/1000  loss 5.44\n"));
      assertThat(failure).isNotDone();

      log.write("longspan train failed: Rank 1 was lost three times.");
      log.end();
      setStatus(Operator.KUBEFLOW, "first", kubeflow("FAILED", "driver container failed"));
      assertThat(failure.get(1, TimeUnit.MINUTES))
          .hasMessage(
              "The run first failed on the cluster (FAILED): longspan train failed: Rank 1 was lost"
                  + " three times.");
      assertThat(shown.toString(StandardCharsets.UTF_8))
          .containsOnlyOnce("step 1/1000")
          .containsOnlyOnce("step 2/1000")
          .containsOnlyOnce("three times")
          .contains("Rank 1 was lost");
      assertGone(Operator.KUBEFLOW, "first");
    }
  }

  @Test
  void shouldSayThatTheDriversOutputCannotBeHadAndGoOn() throws Exception {
    ByteArrayOutputStream shown = new ByteArrayOutputStream();
    List<String> news = new CopyOnWriteArrayList<>();
    try (KubernetesCluster cluster = KubernetesCluster.connect(null)) {
      Submission submission =
          new Submission(cluster, Runs.named("unread", Operator.KUBEFLOW), news::add, shown);
      submission.create();
      pod("unread", "Running", new ContainerStateBuilder().withNewRunning().endRunning().build());
      setStatus(Operator.KUBEFLOW, "unread", kubeflow("RUNNING", ""));
      CompletableFuture<RunFailure> failure =
          CompletableFuture.supplyAsync(() -> failure(submission));
      Waiting.until(
          "it is said",
          () ->
              news.stream()
                  .anyMatch(line -> line.startsWith("The driver's output cannot be had: ")));
      Waiting.until("it goes on", () -> news.contains("The run unread is at work"));
      setStatus(Operator.KUBEFLOW, "unread", kubeflow("FAILED", "driver was evicted"));
      assertThat(failure.get(1, TimeUnit.MINUTES))
          .hasMessage("The run unread failed on the cluster (FAILED): driver was evicted");
    }
    assertThat(shown.size()).isZero();
    assertThat(news.stream().filter(line -> line.startsWith("The driver's output"))).hasSize(1);
  }

  @ParameterizedTest
  @EnumSource
  void shouldSayThatNoOperatorTakesTheRunUp(Operator operator) throws Exception {
    List<String> news = new CopyOnWriteArrayList<>();
    try (KubernetesCluster cluster = KubernetesCluster.connect(null)) {
      Submission submission =
          new Submission(
              cluster,
              Runs.named("untaken", operator),
              news::add,
              OutputStream.nullOutputStream(),
              Duration.ZERO);
      submission.create();
      CompletableFuture<RunFailure> failure =
          CompletableFuture.supplyAsync(() -> failure(submission));
      Waiting.until(
          "it is said",
          () -> {
            if (news.size() > 1) {
              GuideQuotes.assertQuoted(news.get(1));
              return true;
            }
            return false;
          });
      submission.cancel();
      assertThat(failure.get(1, TimeUnit.MINUTES)).hasMessageContaining("was deleted");
      assertThat(news).hasSize(2);
    }
  }

  /** What waiting for the end of a run throws. */
  private static RunFailure failure(Submission submission) {
    try {
      submission.await();
    } catch (RunFailure failure) {
      return failure;
    } catch (InterruptedException interrupted) {
      throw new AssertionError(interrupted);
    }
    throw new AssertionError("The run succeeded");
  }

  @Test
  void shouldRefuseANameThatIsTaken() throws Exception {
    CompletableFuture<CommandRunner> first = submit(Operator.KUBEFLOW, "twice");
    pod("twice", "Running", new ContainerStateBuilder().withNewRunning().endRunning().build());
    String refusal = run(Operator.KUBEFLOW, "twice").errors();
    assertThat(admin.pods().inNamespace(NAMESPACE).withName("twice-driver").get())
        .satisfies(pod -> assertThat(pod.getMetadata().getDeletionTimestamp()).isNull());
    assertThat(refusal)
        .contains("twice-configuration\" already exists; give another --name, or delete that one.");
    GuideQuotes.assertQuoted(refusal);
    admin.raw(path(Operator.KUBEFLOW, "twice"), "DELETE", null);
    ended(first);
  }

  @Test
  void shouldSayThatAServerDoesNotAnswer() throws Exception {
    Path nobody =
        Files.writeString(
            folder.resolve("nobody"),
            RealApiServer.kubeconfig(
                "https://127.0.0.1:" + RealApiServer.freePort(), RealApiServer.ADMIN));
    String before = System.setProperty("kubeconfig", nobody.toString());
    try {
      CommandRunner run = run(Operator.KUBEFLOW, "nobody");
      assertThat(run.exitCode()).isEqualTo(1);
      assertThat(run.errors())
          .startsWith("longspan submit failed: The Kubernetes API server https://127.0.0.1:")
          .contains("does not answer")
          .hasLineCount(1);
      GuideQuotes.assertQuoted(run.errors());
    } finally {
      System.setProperty("kubeconfig", before);
    }
  }

  @Test
  void shouldGiveTheDriverTheRightsThatItNeedsAndNoOthers() {
    TokenRequest request =
        admin.serviceAccounts().inNamespace(NAMESPACE).withName("longspan-driver").tokenRequest();
    try (KubernetesClient driver = server.client(request.getStatus().getToken())) {
      assertThat(driver.pods().inNamespace(NAMESPACE).list().getItems()).isNotNull();
      assertThatThrownBy(() -> driver.secrets().inNamespace(NAMESPACE).list())
          .isInstanceOf(KubernetesClientException.class)
          .hasMessageContaining("forbidden");
      assertThatThrownBy(() -> driver.pods().inNamespace("default").list())
          .isInstanceOf(KubernetesClientException.class)
          .hasMessageContaining("forbidden");
    }
  }

  private static CommandRunner run(Operator operator, String name) throws IOException {
    Path configuration = Files.writeString(folder.resolve(name + ".yaml"), CONFIGURATION);
    return CommandRunner.run(
        "submit",
        "--to",
        "kubernetes",
        "--operator",
        operator.name().toLowerCase(Locale.ROOT),
        "--config",
        configuration.toString(),
        "--output",
        "/data/" + name,
        "--name",
        name,
        "--sequence-length",
        "4096",
        "--claim",
        "data",
        "--wait");
  }

  /** Returns when the resource is there. */
  private static CompletableFuture<CommandRunner> submit(Operator operator, String name)
      throws Exception {
    CompletableFuture<CommandRunner> run =
        CompletableFuture.supplyAsync(
            () -> {
              try {
                return run(operator, name);
              } catch (IOException e) {
                throw new java.io.UncheckedIOException(e);
              }
            });
    Waiting.until(name + " is there", () -> run.isDone() || exists(operator, name));
    return run;
  }

  private static CommandRunner ended(CompletableFuture<CommandRunner> run) throws Exception {
    return run.get(1, TimeUnit.MINUTES);
  }

  private static void assertFailed(CommandRunner run, String sentence) {
    assertThat(run.errors().strip()).isEqualTo(sentence);
    GuideQuotes.assertQuoted(sentence);
    assertThat(run.exitCode()).isEqualTo(1);
  }

  private static void assertGone(Operator operator, String name) {
    assertThat(exists(operator, name)).isFalse();
    assertThat(admin.configMaps().inNamespace(NAMESPACE).withName(name + "-configuration").get())
        .isNull();
    // A node without a kubelet never says that a pod has ended.
    assertThat(
            admin
                .pods()
                .inNamespace(NAMESPACE)
                .withLabel(PodTemplate.LABEL, name)
                .list()
                .getItems())
        .allMatch(pod -> pod.getMetadata().getDeletionTimestamp() != null);
  }

  private static boolean exists(Operator operator, String name) {
    try {
      return admin.raw(path(operator, name)) != null;
    } catch (KubernetesClientException missing) {
      return false;
    }
  }

  private static void setStatus(Operator operator, String name, String status) {
    admin
        .genericKubernetesResources(operator.apiVersion(), "SparkApplication")
        .inNamespace(NAMESPACE)
        .withName(name)
        .subresource("status")
        .patch(PatchContext.of(PatchType.JSON_MERGE), "{\"status\":" + status + "}");
  }

  private static String kubeflow(String state, String message) {
    return String.format(
        "{\"applicationState\":{\"state\":\"%s\",\"errorMessage\":\"%s\"},\"driverInfo\":{}}",
        state, message);
  }

  private static String apache(String state, String message) {
    return String.format(
        "{\"currentState\":{\"currentStateSummary\":\"%s\",\"message\":\"%s\"}}", state, message);
  }

  private static String path(Operator operator, String name) {
    return "/apis/"
        + operator.apiVersion()
        + "/namespaces/"
        + NAMESPACE
        + "/sparkapplications"
        + (name.isEmpty() ? "" : "/" + name);
  }

  private static ContainerState waiting(String reason, String message) {
    return new ContainerStateBuilder().withNewWaiting(message, reason).build();
  }

  private static ContainerState terminated(int exitCode, String reason) {
    return new ContainerStateBuilder()
        .withNewTerminated()
        .withExitCode(exitCode)
        .withReason(reason)
        .endTerminated()
        .build();
  }

  /** A driver's pod, as an operator makes it and a kubelet tells of it. */
  private static void pod(String run, String phase, ContainerState state) {
    Pod pod =
        new PodBuilder()
            .withNewMetadata()
            .withName(run + "-driver")
            .withNamespace(NAMESPACE)
            .addToLabels(PodTemplate.LABEL, run)
            .addToLabels("longspan.org/part", "driver")
            .endMetadata()
            .withNewSpec()
            .withNodeName(NODE)
            .withServiceAccountName("longspan-driver")
            .withNewSecurityContext()
            .withRunAsNonRoot(true)
            .withNewSeccompProfile(null, "RuntimeDefault")
            .endSecurityContext()
            .addNewContainer()
            .withName("spark-kubernetes-driver")
            .withImage("longspan:latest")
            .withNewSecurityContext()
            .withAllowPrivilegeEscalation(false)
            .withNewCapabilities()
            .addToDrop("ALL")
            .endCapabilities()
            .endSecurityContext()
            .endContainer()
            .endSpec()
            .build();
    admin.resource(pod).create();
    setState(pod, phase, state);
  }

  private static void setState(Pod pod, String phase, ContainerState state) {
    admin
        .resource(
            new PodBuilder(pod)
                .withNewStatus()
                .withPhase(phase)
                .addNewContainerStatus()
                .withName("spark-kubernetes-driver")
                .withImage("longspan:latest")
                .withImageID("")
                .withReady(state.getRunning() != null)
                .withRestartCount(0)
                .withState(state)
                .endContainerStatus()
                .endStatus()
                .build())
        .patchStatus();
  }
}
