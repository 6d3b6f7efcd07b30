package org.longspan.jobs.kubernetes;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.dataformat.yaml.YAMLFactory;
import com.fasterxml.jackson.dataformat.yaml.YAMLGenerator;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import org.longspan.driver.launch.SparkSettings;

/** The resources of a run: its configuration, its ranks' group where there is one, and the run. */
public final class RunManifests {
  /** Where the image has the application jar. */
  static final String APPLICATION = "/opt/longspan/longspan-application.jar";

  private static final String MAIN = "org.longspan.jobs.Longspan";
  private static final String KIND = "SparkApplication";
  private static final String DRIVER_MEMORY = "2048m";
  private static final int DRIVER_MEBIBYTES = 2048;
  private static final String DRIVER_OVERHEAD = "768m";
  private static final int DRIVER_OVERHEAD_MEBIBYTES = 768;
  private static final String DRIVER_JAVA_OPTIONS =
      "-Dlog4j2.configurationFile=longspan-log4j2.properties";

  /** Settings that Kubeflow's resource has fields for, and that nobody may set by themselves. */
  private static final Set<String> PLANNED =
      Set.of(
          "spark.executor.instances",
          "spark.executor.cores",
          "spark.driver.cores",
          "spark.kubernetes.authenticate.driver.serviceAccountName",
          "spark.kubernetes.container.image",
          "spark.kubernetes.namespace");

  private static final ObjectMapper YAML =
      new ObjectMapper(
          new YAMLFactory()
              .enable(YAMLGenerator.Feature.MINIMIZE_QUOTES)
              .enable(YAMLGenerator.Feature.ALWAYS_QUOTE_NUMBERS_AS_STRINGS)
              .disable(YAMLGenerator.Feature.SPLIT_LINES));

  private RunManifests() {}

  /** In the order in which they are created; the run is the last. */
  public static List<Map<String, Object>> of(KubernetesRun run) {
    List<Map<String, Object>> all = new ArrayList<>();
    all.add(
        Tree.of(
            "apiVersion",
            "v1",
            "kind",
            "ConfigMap",
            "metadata",
            metadata(run, PodTemplate.configurationMap(run)),
            "data",
            Tree.of(PodTemplate.CONFIGURATION_FILE, run.configuration())));
    if (run.gang() == Gang.VOLCANO) {
      all.add(GangScheduling.volcanoGroup(run, metadata(run, GangScheduling.group(run))));
    }
    all.add(
        Tree.of(
            "apiVersion",
            run.operator().apiVersion(),
            "kind",
            KIND,
            "metadata",
            metadata(run, run.name()),
            "spec",
            switch (run.operator()) {
              case KUBEFLOW -> kubeflow(run);
              case APACHE -> apache(run);
            }));
    return all;
  }

  /** YAML documents one after another. */
  public static String yaml(List<Map<String, Object>> manifests) {
    StringBuilder text = new StringBuilder();
    try {
      for (Map<String, Object> manifest : manifests) {
        text.append(YAML.writeValueAsString(manifest));
      }
    } catch (JsonProcessingException impossible) {
      throw new IllegalStateException(impossible);
    }
    return text.toString();
  }

  /** Memory of the driver's container, in MiB. */
  static int driverMebibytes() {
    return DRIVER_MEBIBYTES + DRIVER_OVERHEAD_MEBIBYTES;
  }

  private static Map<String, Object> metadata(KubernetesRun run, String name) {
    return Tree.of(
        "name",
        name,
        "namespace",
        run.namespace(),
        "labels",
        Tree.of(PodTemplate.LABEL, run.name()));
  }

  private static Map<String, Object> kubeflow(KubernetesRun run) {
    // What the resource has fields for goes there; a setting beside them would say it twice.
    Map<String, String> settings = settings(run);
    settings.keySet().removeAll(PLANNED);
    String heap = settings.remove("spark.executor.memory");
    String overhead = settings.remove("spark.executor.memoryOverhead");
    String javaOptions = settings.remove("spark.executor.extraJavaOptions");
    String driverMemory = settings.remove("spark.driver.memory");
    String driverOverhead = settings.remove("spark.driver.memoryOverhead");
    String driverJavaOptions = settings.remove("spark.driver.extraJavaOptions");
    return Tree.of(
        "type",
        "Scala",
        "mode",
        "cluster",
        "sparkVersion",
        run.sparkVersion(),
        "image",
        run.image(),
        "imagePullPolicy",
        "IfNotPresent",
        "mainClass",
        MAIN,
        "mainApplicationFile",
        "local://" + APPLICATION,
        "arguments",
        arguments(run),
        "restartPolicy",
        Tree.of("type", "Never"),
        "sparkConf",
        settings,
        "driver",
        Tree.of(
            "cores",
            1,
            "memory",
            driverMemory,
            "memoryOverhead",
            driverOverhead,
            "serviceAccount",
            run.serviceAccount(),
            "javaOptions",
            driverJavaOptions,
            "template",
            PodTemplate.driver(run)),
        "executor",
        Tree.of(
            "instances",
            run.plan().ranks(),
            "cores",
            run.plan().cores(),
            "memory",
            heap,
            "memoryOverhead",
            overhead,
            "javaOptions",
            javaOptions,
            "deleteOnTermination",
            true,
            "template",
            PodTemplate.executor(run)));
  }

  private static Map<String, Object> apache(KubernetesRun run) {
    int ranks = run.plan().ranks();
    return Tree.of(
        "mainClass",
        MAIN,
        "jars",
        "local://" + APPLICATION,
        "driverArgs",
        arguments(run),
        "runtimeVersions",
        Tree.of("sparkVersion", run.sparkVersion(), "scalaVersion", "2.13", "jdkVersion", "17"),
        "applicationTolerations",
        Tree.of(
            "restartConfig",
            Tree.of("restartPolicy", "Never"),
            "resourceRetainPolicy",
            "OnFailure",
            "instanceConfig",
            Tree.of("initExecutors", ranks, "minExecutors", ranks, "maxExecutors", ranks)),
        "sparkConf",
        settings(run),
        "driverSpec",
        Tree.of("podTemplateSpec", PodTemplate.driver(run)),
        "executorSpec",
        Tree.of("podTemplateSpec", PodTemplate.executor(run)));
  }

  private static List<String> arguments(KubernetesRun run) {
    List<String> arguments = new ArrayList<>();
    arguments.addAll(
        List.of(
            "train",
            "--config",
            PodTemplate.CONFIGURATION_FOLDER + "/" + PodTemplate.CONFIGURATION_FILE));
    arguments.addAll(run.arguments());
    return arguments;
  }

  /** Everything that Spark is told, by name. */
  static Map<String, String> settings(KubernetesRun run) {
    Map<String, String> settings = new TreeMap<>(run.plan().settings());
    // Standalone clusters' own.
    settings.remove("spark.cores.max");
    settings.putAll(SparkSettings.all());
    settings.put("spark.ui.showConsoleProgress", "false");
    settings.put("spark.authenticate", "true");
    settings.put("spark.network.crypto.enabled", "true");
    settings.put("spark.driver.cores", "1");
    settings.put("spark.driver.memory", DRIVER_MEMORY);
    settings.put("spark.driver.memoryOverhead", DRIVER_OVERHEAD);
    settings.put("spark.driver.extraJavaOptions", DRIVER_JAVA_OPTIONS);
    // On the JVMs' own class path: Spark looks for plugins of devices before it has fetched a jar.
    settings.put("spark.driver.extraClassPath", APPLICATION);
    settings.put("spark.executor.extraClassPath", APPLICATION);
    settings.put("spark.kubernetes.namespace", run.namespace());
    settings.put("spark.kubernetes.container.image", run.image());
    settings.put("spark.kubernetes.authenticate.driver.serviceAccountName", run.serviceAccount());
    switch (run.plan().device()) {
      case PROCESSOR -> {}
      case GPU -> settings.put("spark.executor.resource.gpu.vendor", "nvidia.com");
    }
    if (run.prometheus()) {
      settings.put(
          "spark.metrics.conf.*.sink.prometheusServlet.class",
          "org.apache.spark.metrics.sink.PrometheusServlet");
      settings.put("spark.metrics.conf.*.sink.prometheusServlet.path", "/metrics/prometheus");
      settings.put("spark.ui.prometheus.enabled", "true");
      settings.put("spark.kubernetes.driver.annotation.prometheus.io/scrape", "true");
      settings.put("spark.kubernetes.driver.annotation.prometheus.io/path", "/metrics/prometheus");
      settings.put("spark.kubernetes.driver.annotation.prometheus.io/port", "4040");
    }
    settings.putAll(GangScheduling.settings(run));
    settings.putAll(run.settings());
    return new LinkedHashMap<>(settings);
  }
}
