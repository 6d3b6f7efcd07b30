package org.longspan.jobs.kubernetes;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.dataformat.yaml.YAMLFactory;
import io.fabric8.kubernetes.api.model.HasMetadata;
import io.fabric8.kubernetes.api.model.rbac.RoleBindingBuilder;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.longspan.jobs.Waiting;

/** What a cluster's administrator sets up before runs are submitted to it. */
final class ClusterSetup {
  static final String NAMESPACE = "longspan";
  private static final String DEFINITIONS =
      "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";

  private ClusterSetup() {}

  /** The namespace and the driver's account, as k8s/base has them. */
  static void createNamespace(KubernetesClient admin) throws IOException {
    for (String file : List.of("namespace", "driver", "network-policy")) {
      create(admin, Path.of("../k8s/base", file + ".yaml"));
    }
  }

  /** The rights of those who submit, as k8s/base has them, and a user who has them. */
  static void createSubmitter(KubernetesClient admin) throws IOException {
    create(admin, Path.of("../k8s/base/submitter.yaml"));
    admin
        .resource(
            new RoleBindingBuilder()
                .withNewMetadata()
                .withName("submitter")
                .withNamespace(NAMESPACE)
                .endMetadata()
                .withNewRoleRef("rbac.authorization.k8s.io", "Role", "longspan-submitter")
                .addNewSubject("rbac.authorization.k8s.io", "User", "submitter", null)
                .build())
        .create();
  }

  /** Returns when the server takes the operators' resources. */
  static void define(KubernetesClient admin, Operator... operators)
      throws IOException, InterruptedException {
    for (Operator operator : operators) {
      define(admin, Files.readString(CrdSchema.file(operator)));
    }
    for (Operator operator : operators) {
      awaitKind(admin, operator.apiVersion(), "sparkapplications");
    }
  }

  /** Posts a definition in YAML. */
  static void define(KubernetesClient admin, String definition) throws IOException {
    admin.raw(
        DEFINITIONS, "POST", new ObjectMapper(new YAMLFactory()).readTree(definition).toString());
  }

  /** Returns when the server lists resources of a kind. */
  static void awaitKind(KubernetesClient admin, String apiVersion, String plural)
      throws IOException, InterruptedException {
    String path = "/apis/" + apiVersion + "/namespaces/" + NAMESPACE + "/" + plural;
    Waiting.until(
        plural + " of " + apiVersion + " are served",
        () -> {
          try {
            return admin.raw(path) != null;
          } catch (KubernetesClientException notYet) {
            return false;
          }
        });
  }

  /** Creates what a file holds, in the namespace. */
  static void create(KubernetesClient admin, Path file) throws IOException {
    try (var stream = Files.newInputStream(file)) {
      for (HasMetadata resource : admin.load(stream).items()) {
        if (!resource.getKind().equals("Namespace")) {
          resource.getMetadata().setNamespace(NAMESPACE);
        }
        admin.resource(resource).create();
      }
    }
  }
}
