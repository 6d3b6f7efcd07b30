package org.longspan.jobs;

import java.io.IOException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import org.apache.hadoop.conf.Configuration;
import org.longspan.datapipeline.InvalidInputException;
import org.longspan.driver.plan.ResourcePlan;
import org.longspan.executors.configuration.Options;
import org.longspan.executors.configuration.RunConfiguration;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

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

  @Mixin private ResourceChoice resources;

  @Option(
      names = "--dry-run",
      description =
          "Print the spark-submit command for --master, with executors as large as the model and"
              + " mesh need, and start nothing.")
  private boolean dryRun;

  @Spec private CommandSpec spec;

  @Override
  public Integer call() throws Exception {
    Map<String, String> overrides = new LinkedHashMap<>(settings);
    if (data != null) {
      overrides.put(Options.DATA_PATH.key(), data);
    }
    Configuration hadoop = SparkRuntime.hadoopBeforeStart();
    RunConfiguration configuration = ConfigurationFile.load(config, overrides, hadoop);
    if (dryRun) {
      printCommand(configuration);
      return 0;
    }
    TrainingRun run = new TrainingRun(configuration, output, resume, Map.of());
    run.check(hadoop);
    ResourcePlan plan = resources.plan(configuration, hadoop, SparkRuntime.settingsBeforeStart());
    Terminal terminal = Terminal.standard();
    try (SparkRuntime spark = SparkRuntime.start("train", master, plan, run.timeLimit())) {
      terminal.line("Spark   %s", spark.place(run.mesh().size()));
      run.nameFiles(run.run(spark, terminal), spark.hadoop(), terminal);
    }
    return 0;
  }

  private void printCommand(RunConfiguration configuration) throws IOException {
    if (master == null) {
      throw new InvalidInputException(
          "--dry-run needs --master: without one there is no spark-submit, and executors are"
              + " started on this machine.");
    }
    Map<String, String> settings = SparkRuntime.settingsBeforeStart();
    ResourcePlan plan = resources.plan(configuration, new Configuration(), settings);
    List<String> arguments = new ArrayList<>(spec.commandLine().getParseResult().originalArgs());
    arguments.removeAll(List.of("--dry-run"));
    String home = System.getenv("LONGSPAN_SPARK");
    Terminal.standard()
        .out()
        .println(
            new SubmitLine(master, plan, ApplicationJar.local())
                .text(home == null || home.isEmpty() ? "$SPARK_HOME" : home, arguments));
  }
}
