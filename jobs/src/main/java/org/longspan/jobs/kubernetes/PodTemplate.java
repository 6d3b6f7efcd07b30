package org.longspan.jobs.kubernetes;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * What driver and executors have beside what Spark gives them: no rights, the run's configuration,
 * its volume and its secret.
 */
final class PodTemplate {
  /** What tells a run's pods from all others. */
  static final String LABEL = "longspan.org/run";

  /** What tells the driver from ranks. */
  static final String PART = "longspan.org/part";

  static final String CONFIGURATION_FOLDER = "/etc/longspan";
  static final String CONFIGURATION_FILE = "run.yaml";
  private static final String DATA_FOLDER = "/data";

  /** Of Spark's own images. */
  private static final int USER = 185;

  private PodTemplate() {}

  static Map<String, Object> driver(KubernetesRun run) {
    return template(run, "driver", "spark-kubernetes-driver");
  }

  static Map<String, Object> executor(KubernetesRun run) {
    return template(run, "rank", "spark-kubernetes-executor");
  }

  /** The name of the map that holds the configuration. */
  static String configurationMap(KubernetesRun run) {
    return run.name() + "-configuration";
  }

  private static Map<String, Object> template(KubernetesRun run, String part, String container) {
    List<Object> volumes = new ArrayList<>();
    List<Object> mounts = new ArrayList<>();
    if (part.equals("driver")) {
      volumes.add(
          Tree.of("name", "configuration", "configMap", Tree.of("name", configurationMap(run))));
      mounts.add(
          Tree.of("name", "configuration", "mountPath", CONFIGURATION_FOLDER, "readOnly", true));
    }
    run.claim()
        .ifPresent(
            claim -> {
              volumes.add(
                  Tree.of("name", "data", "persistentVolumeClaim", Tree.of("claimName", claim)));
              mounts.add(Tree.of("name", "data", "mountPath", DATA_FOLDER));
            });
    return Tree.of(
        "metadata",
        Tree.of("labels", Tree.of(LABEL, run.name(), PART, part)),
        "spec",
        Tree.of(
            "automountServiceAccountToken",
            // Spark gives executors the driver's account; without a token they have none of its
            // rights.
            part.equals("driver") ? Optional.empty() : false,
            "securityContext",
            Tree.of(
                "runAsNonRoot",
                true,
                "runAsUser",
                USER,
                "runAsGroup",
                USER,
                "fsGroup",
                USER,
                "seccompProfile",
                Tree.of("type", "RuntimeDefault")),
            "containers",
            List.of(
                Tree.of(
                    "name",
                    container,
                    "securityContext",
                    Tree.of(
                        "allowPrivilegeEscalation",
                        false,
                        "capabilities",
                        Tree.of("drop", List.of("ALL"))),
                    "envFrom",
                    run.secret().map(name -> List.of(Tree.of("secretRef", Tree.of("name", name)))),
                    "volumeMounts",
                    present(mounts))),
            "volumes",
            present(volumes)));
  }

  private static Optional<List<Object>> present(List<Object> list) {
    return list.isEmpty() ? Optional.empty() : Optional.of(list);
  }
}
