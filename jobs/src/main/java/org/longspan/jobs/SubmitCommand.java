package org.longspan.jobs;

import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.Callable;
import org.apache.hadoop.conf.Configuration;
import org.longspan.driver.plan.ResourcePlan;
import org.longspan.executors.configuration.Options;
import org.longspan.executors.configuration.RunConfiguration;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Has a cluster's own service start a training run. */
@Command(
    name = "submit",
    description = "Have a cluster's own service train a model, and follow it to its end.",
    footerHeading = "%nExamples:%n",
    footer = {
      "  longspan submit --to kubernetes --operator kubeflow --config run.yaml"
          + " --data s3a://bucket/corpus --output s3a://bucket/first --secret store --wait",
      "  longspan submit --to kubernetes --operator apache --config run.yaml --data /data/corpus"
          + " --output /data/first --claim data --sequence-length 65536 --dry-run",
      "  longspan submit --to livy --url http://livy:8998 --config run.yaml --data"
          + " hdfs:///corpus --output hdfs:///runs/first --jar hdfs:///longspan-application.jar"
    })
final class SubmitCommand implements Callable<Integer> {
  @Option(
      names = "--to",
      required = true,
      paramLabel = "SERVICE",
      converter = Choice.OfDestination.class,
      description = "What starts the run: kubernetes or livy.")
  private Destination destination;

  @Option(
      names = "--config",
      required = true,
      paramLabel = "FILE",
      description = "The run's configuration in YAML, as for train.")
  private String config;

  @Option(
      names = "--output",
      required = true,
      paramLabel = "FOLDER",
      description = "The run's folder, where the cluster can write.")
  private String output;

  @Option(
      names = "--data",
      paramLabel = "FOLDER",
      description = "The prepared dataset; goes before data.path of the configuration.")
  private String data;

  @Option(
      names = "--set",
      paramLabel = "KEY=VALUE",
      description = "A value that goes before the configuration's; may be repeated.")
  private Map<String, String> settings = new LinkedHashMap<>();

  @Option(names = "--resume", description = "Go on from the newest checkpoint in --output.")
  private boolean resume;

  @Option(
      names = "--conf",
      paramLabel = "KEY=VALUE",
      description =
          "A setting of Spark's, which goes before the one reckoned from the configuration; may be"
              + " repeated.")
  private Map<String, String> sparkSettings = new LinkedHashMap<>();

  @Mixin private ResourceChoice resources;

  @Option(
      names = "--dry-run",
      description = "Print what would be submitted, with sizes for the mesh, and submit nothing.")
  private boolean dryRun;

  @Mixin private KubernetesChoice kubernetes;

  @Mixin private LivyChoice livy;

  @Override
  public Integer call() throws Exception {
    Map<String, String> overrides = new LinkedHashMap<>(settings);
    if (data != null) {
      overrides.put(Options.DATA_PATH.key(), data);
    }
    Configuration hadoop = SparkRuntime.hadoopBeforeStart();
    RunConfiguration configuration = ConfigurationFile.load(config, overrides, hadoop);
    TrainingRun.dataPath(configuration);
    TrainingRun run = new TrainingRun(configuration, output, resume, Map.of());
    ResourcePlan plan = resources.plan(configuration, hadoop, sparkSettings);
    Terminal terminal = Terminal.standard();
    switch (destination) {
      case KUBERNETES -> kubernetes.submit(run, plan, sparkSettings, dryRun, terminal);
      case LIVY -> livy.submit(run, hadoop, plan, sparkSettings, dryRun, terminal);
    }
    return 0;
  }
}
