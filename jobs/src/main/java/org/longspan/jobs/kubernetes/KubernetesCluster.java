package org.longspan.jobs.kubernetes;

import io.fabric8.kubernetes.api.model.GenericKubernetesResource;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.StatusDetails;
import io.fabric8.kubernetes.client.Config;
import io.fabric8.kubernetes.client.ConfigBuilder;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientBuilder;
import io.fabric8.kubernetes.client.KubernetesClientException;
import io.fabric8.kubernetes.client.dsl.FieldValidateable;
import io.fabric8.kubernetes.client.dsl.LogWatch;
import io.fabric8.kubernetes.client.dsl.PodResource;
import io.fabric8.kubernetes.client.utils.KubernetesSerialization;
import java.io.OutputStream;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.longspan.datapipeline.InvalidInputException;

/**
 * The API server of a cluster, with what a submission needs of it. Its failures are sentences.
 *
 * <p>Threading: one thread.
 */
public final class KubernetesCluster implements AutoCloseable {
  private static final int CONNECT_MILLISECONDS = 5_000;
  private static final int REQUEST_MILLISECONDS = 10_000;

  /** Smaller ones are of failures before there was an answer. */
  private static final int LEAST_HTTP_CODE = 100;

  private final KubernetesClient client;
  private final String server;

  private KubernetesCluster(KubernetesClient client) {
    this.client = client;
    this.server = client.getConfiguration().getMasterUrl();
  }

  /**
   * The one that a context of the user's {@code kubeconfig} names, or the pod's own.
   *
   * @param context null for the current one
   */
  public static KubernetesCluster connect(String context) {
    Config config =
        new ConfigBuilder(Config.autoConfigure(context))
            .withConnectionTimeout(CONNECT_MILLISECONDS)
            .withRequestTimeout(REQUEST_MILLISECONDS)
            .withRequestRetryBackoffLimit(0)
            .build();
    return new KubernetesCluster(new KubernetesClientBuilder().withConfig(config).build());
  }

  /**
   * Creates a resource; the server refuses fields that it does not know.
   *
   * @throws InvalidInputException where it does, or has none of that kind, or refuses the user
   */
  void create(Map<String, Object> manifest) {
    GenericKubernetesResource resource = resource(manifest);
    String what = named(resource);
    try {
      client.resource(resource).fieldValidation(FieldValidateable.Validation.STRICT).create();
    } catch (KubernetesClientException refused) {
      throw refusal("create " + what, refused);
    }
  }

  /** The resource as it is now; empty where it is gone. */
  Optional<GenericKubernetesResource> find(Map<String, Object> manifest) {
    try {
      return Optional.ofNullable(client.resource(resource(manifest)).get());
    } catch (KubernetesClientException refused) {
      throw refusal("read " + named(resource(manifest)), refused);
    }
  }

  /** Deletes it; what is gone already is no failure. */
  void delete(Map<String, Object> manifest) {
    try {
      deleteOnce(manifest);
    } catch (UnreachableException away) {
      // The other end may have closed a connection that was kept; deleting twice does no harm.
      deleteOnce(manifest);
    }
  }

  private void deleteOnce(Map<String, Object> manifest) {
    try {
      List<StatusDetails> ignored = client.resource(resource(manifest)).delete();
    } catch (KubernetesClientException refused) {
      if (refused.getCode() != 404) {
        throw refusal("delete " + named(resource(manifest)), refused);
      }
    }
  }

  /** Deletes a pod; what is gone already is no failure. */
  void delete(Pod pod) {
    try {
      List<StatusDetails> ignored = operations(pod).delete();
    } catch (KubernetesClientException refused) {
      if (refused.getCode() != 404) {
        throw refusal("delete Pod " + pod.getMetadata().getName(), refused);
      }
    }
  }

  /** Pods of a run. */
  List<Pod> pods(KubernetesRun run) {
    try {
      return client
          .pods()
          .inNamespace(run.namespace())
          .withLabel(PodTemplate.LABEL, run.name())
          .list()
          .getItems();
    } catch (KubernetesClientException refused) {
      throw refusal("list the pods of " + run.name(), refused);
    }
  }

  /** Copies a pod's log from its start on until it ends or the watch is closed. */
  LogWatch follow(Pod pod, OutputStream to) {
    return operations(pod).watchLog(to);
  }

  /** Why a pod's log cannot be had; empty where it can. */
  Optional<String> logRefusal(Pod pod) {
    try {
      String ignored = operations(pod).tailingLines(1).getLog();
      return Optional.empty();
    } catch (KubernetesClientException refused) {
      return Optional.of(said(refused));
    }
  }

  /** The last lines of a pod's log; empty where there is none. */
  String end(Pod pod, int lines) {
    try {
      return operations(pod).tailingLines(lines).getLog();
    } catch (KubernetesClientException none) {
      return "";
    }
  }

  @Override
  public void close() {
    client.close();
  }

  private RuntimeException refusal(String action, KubernetesClientException refused) {
    if (refused.getCode() < LEAST_HTTP_CODE && !neverAsked(refused)) {
      return new UnreachableException(
          String.format(
              "The Kubernetes API server %s does not answer (%s); look at the current context of"
                  + " your kubeconfig, or name another one with --context",
              server, cause(refused)),
          refused);
    }
    if (neverAsked(refused)) {
      return new InvalidInputException(
          String.format(
              "Kubernetes refused to %s: the cluster has no such kind of resource; install the"
                  + " operator's or scheduler's resource definitions, or choose another one.",
              action),
          refused);
    }
    String advice =
        switch (refused.getCode()) {
          case 401 -> "; the credentials of your kubeconfig are not valid there";
          case 403 -> "; ask for the rights that k8s/base/submitter.yaml lists";
          case 404 -> "; install the operator's resource definitions, or choose another --operator";
          case 409 -> "; give another --name, or delete that one";
          default -> "";
        };
    return new InvalidInputException(
        String.format("Kubernetes refused to %s: %s%s.", action, said(refused), advice), refused);
  }

  /** The server's words where it answered, without a stop at their end. */
  private static String said(KubernetesClientException refused) {
    String said =
        refused.getStatus() != null && refused.getStatus().getMessage() != null
            ? refused.getStatus().getMessage()
            : cause(refused);
    return said.strip().replaceAll("\\.$", "");
  }

  /** The client asks what kinds there are, and does not send what is of none of them. */
  private static boolean neverAsked(KubernetesClientException refused) {
    return refused.getCode() < LEAST_HTTP_CODE
        && String.valueOf(refused.getMessage()).startsWith("Could not find a registered handler");
  }

  private static String cause(Throwable failure) {
    Throwable deepest = failure;
    while (deepest.getCause() != null) {
      deepest = deepest.getCause();
    }
    String message = deepest.getMessage();
    return message == null ? deepest.getClass().getSimpleName() : message.strip();
  }

  private static String named(GenericKubernetesResource resource) {
    return resource.getKind() + " " + resource.getMetadata().getName();
  }

  private PodResource operations(Pod pod) {
    return client
        .pods()
        .inNamespace(pod.getMetadata().getNamespace())
        .withName(pod.getMetadata().getName());
  }

  private static GenericKubernetesResource resource(Map<String, Object> manifest) {
    return new KubernetesSerialization().convertValue(manifest, GenericKubernetesResource.class);
  }
}
