package org.longspan.jobs.kubernetes;

import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.longspan.datapipeline.InvalidInputException;
import org.longspan.driver.plan.ResourcePlan;

/**
 * A training run as a cluster is told of it.
 *
 * @param name of the resource, and the label of its pods
 * @param sparkVersion of the image
 * @param configuration the run's, in YAML
 * @param arguments of {@code longspan train} beside {@code --config}
 * @param plan how many executors, and how large
 * @param claim the volume that driver and executors have at {@code /data}
 * @param secret whose entries become environment variables of driver and executors
 * @param queue of the gang scheduler
 * @param prometheus whether the driver's metrics are offered to it
 * @param settings Spark's that go before ours
 */
public record KubernetesRun(
    String name,
    String namespace,
    Operator operator,
    String image,
    String sparkVersion,
    String serviceAccount,
    String configuration,
    List<String> arguments,
    ResourcePlan plan,
    Optional<String> claim,
    Optional<String> secret,
    Gang gang,
    Optional<String> queue,
    boolean prometheus,
    Map<String, String> settings) {

  /** Spark adds to a name what makes its pods' names, and those have 63 letters at most. */
  private static final int LONGEST_NAME = 40;

  private static final Map<String, String> OPTIONS =
      Map.of(
          "spark.executor.instances",
              "mesh.data and mesh.sequence, which say how many ranks it has",
          "spark.executor.cores", "--cores",
          "spark.task.cpus", "--cores",
          "spark.kubernetes.authenticate.driver.serviceAccountName", "--service-account",
          "spark.kubernetes.container.image", "--image",
          "spark.kubernetes.namespace", "--namespace");

  public KubernetesRun {
    if (!name.matches("[a-z]([a-z0-9-]*[a-z0-9])?") || name.length() > LONGEST_NAME) {
      throw new InvalidInputException(
          String.format(
              "The name '%s' is none that Kubernetes takes: small letters, digits and hyphens, a"
                  + " letter first, %d at most; give another one with --name.",
              name, LONGEST_NAME));
    }
    for (Map.Entry<String, String> option : OPTIONS.entrySet()) {
      if (settings.containsKey(option.getKey())) {
        throw new InvalidInputException(
            String.format(
                "%s cannot be set for a run on Kubernetes; use %s.",
                option.getKey(), option.getValue()));
      }
    }
    arguments = List.copyOf(arguments);
    settings = Map.copyOf(settings);
  }
}
