package org.longspan.jobs;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import org.apache.hadoop.fs.Path;
import org.longspan.driver.plan.ResourcePlan;
import org.longspan.jobs.kubernetes.Gang;
import org.longspan.jobs.kubernetes.KubernetesCluster;
import org.longspan.jobs.kubernetes.KubernetesRun;
import org.longspan.jobs.kubernetes.Operator;
import org.longspan.jobs.kubernetes.RunManifests;
import org.longspan.jobs.kubernetes.Submission;
import picocli.CommandLine.Option;

/** The options of a submission to Kubernetes, and the submission. */
final class KubernetesChoice {
  @Option(
      names = "--operator",
      paramLabel = "NAME",
      converter = Choice.OfOperator.class,
      defaultValue = "kubeflow",
      description = "Kubernetes: whose operator starts it, kubeflow (the default) or apache.")
  private Operator operator;

  @Option(
      names = "--image",
      paramLabel = "IMAGE",
      defaultValue = "longspan:latest",
      description =
          "Kubernetes: the image of k8s/, where the cluster can pull it (${DEFAULT-VALUE}).")
  private String image;

  @Option(
      names = "--spark-version",
      paramLabel = "VERSION",
      defaultValue = "4.1.3",
      description = "Kubernetes: of the image's Spark (${DEFAULT-VALUE}).")
  private String sparkVersion;

  @Option(
      names = "--name",
      paramLabel = "NAME",
      description = "Kubernetes: the resource's name; without it, one from --output's last part.")
  private String name;

  @Option(
      names = "--namespace",
      paramLabel = "NAME",
      defaultValue = "longspan",
      description = "Kubernetes: where it runs (${DEFAULT-VALUE}).")
  private String namespace;

  @Option(
      names = "--service-account",
      paramLabel = "NAME",
      defaultValue = "longspan-driver",
      description = "Kubernetes: the driver's (${DEFAULT-VALUE}, which k8s/base makes).")
  private String serviceAccount;

  @Option(
      names = "--claim",
      paramLabel = "NAME",
      description = "Kubernetes: a volume claim that driver and ranks have at /data.")
  private String claim;

  @Option(
      names = "--secret",
      paramLabel = "NAME",
      description =
          "Kubernetes: a secret whose entries driver and ranks have as environment variables, such"
              + " as a store's keys.")
  private String secret;

  @Option(
      names = "--gang",
      paramLabel = "SCHEDULER",
      converter = Choice.OfGang.class,
      defaultValue = "none",
      description = "Kubernetes: who starts all ranks or none: yunikorn, volcano or none.")
  private Gang gang;

  @Option(
      names = "--queue",
      paramLabel = "NAME",
      description = "Kubernetes: the gang scheduler's queue.")
  private String queue;

  @Option(
      names = "--prometheus",
      description = "Kubernetes: offer the driver's metrics to Prometheus.")
  private boolean prometheus;

  @Option(
      names = "--context",
      paramLabel = "NAME",
      description = "Kubernetes: the context of your kubeconfig; without it the current one.")
  private String context;

  @Option(
      names = "--wait",
      description =
          "Kubernetes: follow state and log to the run's end, which becomes the exit code.")
  private boolean wait;

  /** Prints or submits the run, and follows it where that is wanted. */
  void submit(
      TrainingRun run,
      ResourcePlan plan,
      Map<String, String> settings,
      boolean dryRun,
      Terminal terminal)
      throws IOException, InterruptedException {
    KubernetesRun kubernetes = kubernetes(run, plan, settings);
    if (dryRun) {
      terminal.out().print(RunManifests.yaml(RunManifests.of(kubernetes)));
      return;
    }
    try (KubernetesCluster cluster = KubernetesCluster.connect(context)) {
      Submission submission =
          new Submission(cluster, kubernetes, news -> terminal.line("%s", news), terminal.out());
      submission.create();
      if (wait) {
        Interruption.during(() -> await(submission), submission::cancel);
      }
    }
  }

  private static void await(Submission submission) {
    try {
      submission.await();
    } catch (InterruptedException interrupted) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException("Interrupted", interrupted);
    }
  }

  private KubernetesRun kubernetes(
      TrainingRun run, ResourcePlan plan, Map<String, String> settings) {
    List<String> arguments = new ArrayList<>(List.of("--output", run.output()));
    if (run.resume()) {
      arguments.add("--resume");
    }
    return new KubernetesRun(
        name != null ? name : nameOf(run.output()),
        namespace,
        operator,
        image,
        sparkVersion,
        serviceAccount,
        run.configuration().toYaml(),
        arguments,
        plan,
        Optional.ofNullable(claim),
        Optional.ofNullable(secret),
        gang,
        Optional.ofNullable(queue),
        prometheus,
        settings);
  }

  private static String nameOf(String output) {
    return "longspan-"
        + new Path(output).getName().toLowerCase(Locale.ROOT).replaceAll("[^a-z0-9]+", "-");
  }
}
