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
   * Submits the run and follows it to its end.
   *
   * @param settings Spark's
   */
  void submit(
      TrainingRun run, Configuration hadoop, Map<String, String> settings, Terminal terminal)
      throws IOException {
    if (url == null) {
      throw new InvalidInputException(
          "--url is missing; it takes Livy's address, such as http://livy.example:8998.");
    }
    LivyClient livy =
        LivyClient.of(url, Optional.ofNullable(System.getenv(AUTHORIZATION)));
    String file =
        jar == null
            ? ApplicationJar.local().toUri().toString()
            : SparkRuntime.qualified(hadoop, jar);
    run.check(hadoop);
    String output = SparkRuntime.qualified(hadoop, run.output());
    Location folder = Location.of(hadoop, output);
    RunLogFollower log = RunLogFollower.of(hadoop, output);
    log.news();
    BatchRequest request =
        new BatchRequest(
            file,
            Longspan.class.getName(),
            name(folder),
            arguments(run, writeConfiguration(run, hadoop, folder), output),
            settings);
    int steps = run.configuration().get(Options.TRAIN_STEPS);
    LivyRun submitted =
        new LivyRun(
            livy,
            request,
            log,
            RunFolder.shown(folder.child(RunObserver.LOG_FILE).path().toString()),
            steps,
            new ProgressLine(terminal.out(), terminal.rewritable(), steps),
            Patience.usual());
    Interruption.during(submitted::run, () -> terminal.line("%s", submitted.cancel()));
    Optional<Checkpoint> newest = Checkpoints.of(hadoop, output).latest();
    run.nameFiles(
        new TrainingRun.Outcome(
            OptionalDouble.empty(), newest.map(Checkpoint::path).orElse(null)),
        hadoop,
        terminal);
  }

  private static List<String> arguments(TrainingRun run, Location configuration, String output) {
    List<String> arguments =
        new ArrayList<>(
            List.of("train", "--config", configuration.path().toString(), "--output", output));
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

  private static Location writeConfiguration(
      TrainingRun run, Configuration hadoop, Location folder) throws IOException {
    String data = run.configuration().required(Options.DATA_PATH);
    RunConfiguration configuration =
        run.configuration().with(Options.DATA_PATH, SparkRuntime.qualified(hadoop, data));
    Location file = folder.child(CONFIGURATION_FILE);
    try (OutputStream stream = file.fileSystem().create(file.path(), true)) {
      stream.write(configuration.toYaml().getBytes(StandardCharsets.UTF_8));
    }
    return file;
  }
}
