package org.longspan.jobs.kubernetes;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** What a gang scheduler is told: that a run's ranks start together or not at all. */
final class GangScheduling {
  private static final String DRIVER = "spark.kubernetes.driver.";
  private static final String EXECUTOR = "spark.kubernetes.executor.";
  private static final String YUNIKORN = "yunikorn.apache.org/";

  private GangScheduling() {}

  /** The name of Volcano's group of the ranks. */
  static String group(KubernetesRun run) {
    return run.name() + "-ranks";
  }

  static Map<String, String> settings(KubernetesRun run) {
    return switch (run.gang()) {
      case NONE -> Map.of();
      case YUNIKORN -> yunikorn(run);
      case VOLCANO -> volcano(run);
    };
  }

  /** Driver and ranks are two groups of one application, both whole before either starts. */
  private static Map<String, String> yunikorn(KubernetesRun run) {
    Map<String, String> settings = new LinkedHashMap<>();
    settings.put("spark.kubernetes.scheduler.name", "yunikorn");
    for (String pods : List.of(DRIVER, EXECUTOR)) {
      settings.put(pods + "annotation." + YUNIKORN + "app-id", "{{APP_ID}}");
      run.queue().ifPresent(queue -> settings.put(pods + "label.queue", queue));
    }
    settings.put(DRIVER + "annotation." + YUNIKORN + "task-group-name", "driver");
    settings.put(EXECUTOR + "annotation." + YUNIKORN + "task-group-name", "ranks");
    settings.put(
        DRIVER + "annotation." + YUNIKORN + "schedulingPolicyParameters",
        "placeholderTimeoutInSeconds=600 gangSchedulingStyle=Hard");
    settings.put(
        DRIVER + "annotation." + YUNIKORN + "task-groups",
        json(
            List.of(
                Tree.of(
                    "name",
                    "driver",
                    "minMember",
                    1,
                    "minResource",
                    Tree.of("cpu", "1", "memory", RunManifests.driverMebibytes() + "Mi")),
                Tree.of(
                    "name",
                    "ranks",
                    "minMember",
                    run.plan().ranks(),
                    "minResource",
                    rankResources(run)))));
    return settings;
  }

  /** The ranks alone: the driver makes them, and could not wait for them in one group. */
  private static Map<String, String> volcano(KubernetesRun run) {
    Map<String, String> settings = new LinkedHashMap<>();
    settings.put(EXECUTOR + "scheduler.name", "volcano");
    settings.put(EXECUTOR + "annotation.scheduling.k8s.io/group-name", group(run));
    return settings;
  }

  static Map<String, Object> volcanoGroup(KubernetesRun run, Map<String, Object> metadata) {
    Map<String, Object> resources = new LinkedHashMap<>();
    long ranks = run.plan().ranks();
    resources.put("cpu", Long.toString(ranks * run.plan().cores()));
    resources.put("memory", ranks * run.plan().containerMebibytes() + "Mi");
    return Tree.of(
        "apiVersion",
        "scheduling.volcano.sh/v1beta1",
        "kind",
        "PodGroup",
        "metadata",
        metadata,
        "spec",
        Tree.of("minMember", run.plan().ranks(), "minResources", resources, "queue", run.queue()));
  }

  private static Map<String, Object> rankResources(KubernetesRun run) {
    Map<String, Object> resources = new LinkedHashMap<>();
    resources.put("cpu", Integer.toString(run.plan().cores()));
    resources.put("memory", run.plan().containerMebibytes() + "Mi");
    switch (run.plan().device()) {
      case PROCESSOR -> {}
      case GPU -> resources.put("nvidia.com/gpu", "1");
    }
    return resources;
  }

  private static String json(Object value) {
    try {
      return new ObjectMapper().writeValueAsString(value);
    } catch (JsonProcessingException impossible) {
      throw new IllegalStateException(impossible);
    }
  }
}
