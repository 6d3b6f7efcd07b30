package org.longspan.jobs.kubernetes;

import io.fabric8.kubernetes.client.KubernetesClient;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * Kubeflow's own operator, without its webhook, and the garbage collector that Kubernetes has for
 * what it leaves.
 */
final class KubeflowOperator implements AutoCloseable {
  static final String BINARY = "LONGSPAN_KUBEFLOW_OPERATOR";
  static final String CONTROLLER_MANAGER = "LONGSPAN_KUBE_CONTROLLER_MANAGER";

  private final List<Process> processes = new ArrayList<>();

  private KubeflowOperator() {}

  static KubeflowOperator start(RealApiServer server, KubernetesClient admin, Path folder)
      throws IOException, InterruptedException {
    // Other kinds that it watches, and of which there are none here.
    defineUnused(admin, "v1beta2", "ScheduledSparkApplication");
    defineUnused(admin, "v1alpha1", "SparkConnect");
    String kubeconfig = server.kubeconfig(RealApiServer.ADMIN).toString();
    URI url = URI.create(server.url());
    KubeflowOperator operator = new KubeflowOperator();
    operator.processes.add(
        ClusterProcess.start(
            folder,
            "garbage-collector",
            Map.of(),
            List.of(
                System.getenv(CONTROLLER_MANAGER),
                "--kubeconfig=" + kubeconfig,
                "--controllers=garbage-collector-controller",
                "--leader-elect=false",
                "--secure-port=0")));
    operator.processes.add(
        ClusterProcess.start(
            folder,
            "operator",
            Map.of(
                "KUBECONFIG", kubeconfig,
                "KUBERNETES_SERVICE_HOST", url.getHost(),
                "KUBERNETES_SERVICE_PORT", Integer.toString(url.getPort())),
            List.of(
                System.getenv(BINARY),
                "controller",
                "start",
                "--namespaces=" + ClusterSetup.NAMESPACE,
                "--health-probe-bind-address=0")));
    return operator;
  }

  private static void defineUnused(KubernetesClient admin, String version, String kind)
      throws IOException, InterruptedException {
    String plural = kind.toLowerCase(java.util.Locale.ROOT) + "s";
    ClusterSetup.define(
        admin,
        """
        apiVersion: apiextensions.k8s.io/v1
        kind: CustomResourceDefinition
        metadata:
          name: %1$s.%4$s
          annotations: {api-approved.kubernetes.io: unapproved}
        spec:
          group: %4$s
          scope: Namespaced
          names: {kind: %2$s, plural: %1$s}
          versions:
          - name: %3$s
            served: true
            storage: true
            schema: {openAPIV3Schema: {type: object, x-kubernetes-preserve-unknown-fields: true}}
        """
            .formatted(plural, kind, version, Operator.KUBEFLOW.group()));
    ClusterSetup.awaitKind(admin, Operator.KUBEFLOW.group() + "/" + version, plural);
  }

  @Override
  public void close() {
    processes.forEach(process -> process.destroyForcibly().onExit().join());
  }
}
