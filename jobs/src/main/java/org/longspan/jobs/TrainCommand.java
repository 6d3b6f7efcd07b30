package org.longspan.jobs;

import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.Callable;
import org.apache.hadoop.conf.Configuration;
import org.longspan.executors.configuration.Options;
import org.longspan.executors.configuration.RunConfiguration;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** Trains a model. */
@Command(
    name = "train",
    description = "Train a model on a prepared dataset.",
    footerHeading = "%nExamples:%n",
    footer = {
      "  longspan train --config run.yaml --data corpus --output runs/first",
      "  longspan train --config run.yaml --output runs/wide --set model.width=512",
      "  longspan train --config run.yaml --output runs/first --resume"
    })
final class TrainCommand implements Callable<Integer> {
  @Option(
      names = "--config",
      required = true,
      paramLabel = "FILE",
      description =
          "The run's configuration in YAML, a local file or one by its URL on any Hadoop file"
              + " system; docs/configuration.md lists its keys.")
  private String config;

  @Option(
      names = "--output",
      required = true,
      paramLabel = "FOLDER",
      description = "Where checkpoints, run.jsonl and report.html go.")
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
      names = "--master",
      paramLabel = "URL",
      description = "Spark's master; without it, what spark-submit says or an embedded Spark.")
  private String master;

  @Override
  public Integer call() throws Exception {
    Map<String, String> overrides = new LinkedHashMap<>(settings);
    if (data != null) {
      overrides.put(Options.DATA_PATH.key(), data);
    }
    Configuration hadoop = SparkRuntime.hadoopBeforeStart();
    RunConfiguration configuration = ConfigurationFile.load(config, overrides, hadoop);
    TrainingRun run = new TrainingRun(configuration, output, resume, Map.of());
    run.check(hadoop);
    Terminal terminal = Terminal.standard();
    try (SparkRuntime spark = SparkRuntime.start("train", master, run.mesh().size())) {
      terminal.line("Spark   %s", spark.place(run.mesh().size()));
      run.nameFiles(run.run(spark, terminal), spark.hadoop(), terminal);
    }
    return 0;
  }
}
