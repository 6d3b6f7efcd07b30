package org.longspan.jobs;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.UUID;
import org.apache.hadoop.conf.Configuration;
import org.longspan.datapipeline.InvalidInputException;
import org.longspan.datapipeline.dataset.Location;
import org.longspan.driver.plan.ResourcePlan;
import org.longspan.driver.progress.ProgressLine;
import org.longspan.driver.progress.RunLogFollower;
import org.longspan.driver.progress.RunObserver;
import org.longspan.executors.checkpoint.Checkpoint;
import org.longspan.executors.checkpoint.Checkpoints;
import org.longspan.executors.configuration.Options;
import org.longspan.executors.configuration.RunConfiguration;
import org.longspan.jobs.livy.BatchRequest;
import org.longspan.jobs.livy.LivyClient;
import org.longspan.jobs.livy.LivyRun;
import org.longspan.jobs.livy.Patience;
import picocli.CommandLine.Option;

/** The options of a submission to Livy, and the submission. */
final class LivyChoice {
  /** In the run's folder: the driver finds it there on whatever machine it is started. */
  private static final String CONFIGURATION_FILE = "run.yaml";

  private static final String AUTHORIZATION = "LONGSPAN_LIVY_AUTHORIZATION";

  @Option(
      names = "--url",
      paramLabel = "URL",
      description =
          "Livy: its address. The Authorization header that it wants, if any, stands in"
              + " LONGSPAN_LIVY_AUTHORIZATION.")
  private String url;

  @Option(
      names = "--jar",
      paramLabel = "FILE",
      description =
          "Livy: the application jar, where Livy can read it; without it the one built here, by its"
              + " local path.")
  private String jar;

  /**
   * Submits the run and follows it to its end, or prints what would be submitted.
   *
   * @param settings Spark's, which go before the plan's
   */
  void submit(
      TrainingRun run,
      Configuration hadoop,
      ResourcePlan plan,
      Map<String, String> settings,
      boolean dryRun,
      Terminal terminal)
      throws IOException {
    if (url == null) {
      throw new InvalidInputException(
          "--url is missing; it takes Livy's address, such as http://livy.example:8998.");
    }
    LivyClient livy = LivyClient.of(url, Optional.ofNullable(System.getenv(AUTHORIZATION)));
    Location folder = Location.of(hadoop, SparkRuntime.qualified(hadoop, run.output()));
    BatchRequest request = request(run, hadoop, folder, plan, settings);
    if (dryRun) {
      terminal.out().println(request.json());
      return;
    }
    run.check(hadoop);
    writeConfiguration(run, hadoop, folder);
    LivyRun submitted = watched(livy, request, run, hadoop, folder, terminal);
    Interruption.during(submitted::run, () -> terminal.line("%s", submitted.cancel()));
    Optional<Checkpoint> newest = Checkpoints.of(hadoop, run.output()).latest();
    run.nameFiles(
        new TrainingRun.Outcome(OptionalDouble.empty(), newest.map(Checkpoint::path).orElse(null)),
        hadoop,
        terminal);
  }

  private static LivyRun watched(
      LivyClient livy,
      BatchRequest request,
      TrainingRun run,
      Configuration hadoop,
      Location folder,
      Terminal terminal)
      throws IOException {
    RunLogFollower log = RunLogFollower.of(hadoop, folder.path().toString());
    log.news();
    int steps = run.configuration().get(Options.TRAIN_STEPS);
    return new LivyRun(
        livy,
        request,
        log,
        Location.shown(folder.child(RunObserver.LOG_FILE).path().toString()),
        steps,
        new ProgressLine(terminal.out(), terminal.rewritable(), steps),
        Patience.usual());
  }

  private BatchRequest request(
      TrainingRun run,
      Configuration hadoop,
      Location folder,
      ResourcePlan plan,
      Map<String, String> settings) {
    Map<String, String> all = SubmitLine.settings(plan, "");
    all.putAll(settings);
    return new BatchRequest(
        jar == null
            ? ApplicationJar.local().toUri().toString()
            : SparkRuntime.qualified(hadoop, jar),
        Longspan.class.getName(),
        name(folder),
        arguments(run, folder),
        all);
  }

  private static List<String> arguments(TrainingRun run, Location folder) {
    List<String> arguments =
        new ArrayList<>(
            List.of(
                "train",
                "--config",
                folder.child(CONFIGURATION_FILE).path().toString(),
                "--output",
                folder.path().toString()));
    if (run.resume()) {
      arguments.add("--resume");
    }
    return arguments;
  }

  /** Unlike any other, so that nobody's batch is taken for this one. */
  private static String name(Location output) {
    return "longspan-"
        + output.path().getName()
        + "-"
        + UUID.randomUUID().toString().substring(0, 8);
  }

  private static void writeConfiguration(TrainingRun run, Configuration hadoop, Location folder)
      throws IOException {
    String data = TrainingRun.dataPath(run.configuration());
    RunConfiguration configuration =
        run.configuration().with(Options.DATA_PATH, SparkRuntime.qualified(hadoop, data));
    Location file = folder.child(CONFIGURATION_FILE);
    try (OutputStream stream = file.fileSystem().create(file.path(), true)) {
      stream.write(configuration.toYaml().getBytes(StandardCharsets.UTF_8));
    }
  }
}
