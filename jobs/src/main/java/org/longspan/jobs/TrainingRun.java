package org.longspan.jobs;

import java.io.IOException;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.OptionalDouble;
import org.apache.hadoop.conf.Configuration;
import org.longspan.datapipeline.InvalidInputException;
import org.longspan.datapipeline.dataset.Dataset;
import org.longspan.datapipeline.dataset.Location;
import org.longspan.datapipeline.dataset.SplitSummary;
import org.longspan.datapipeline.tokenizer.ByteTokenizer;
import org.longspan.datapipeline.tokenizer.Tokenizer;
import org.longspan.driver.launch.Launcher;
import org.longspan.driver.plan.LaunchPlan;
import org.longspan.driver.progress.ProgressLine;
import org.longspan.driver.progress.RunDescription;
import org.longspan.driver.progress.RunObserver;
import org.longspan.executors.checkpoint.Checkpoint;
import org.longspan.executors.checkpoint.CheckpointManifest;
import org.longspan.executors.checkpoint.Checkpoints;
import org.longspan.executors.configuration.Options;
import org.longspan.executors.configuration.RunConfiguration;
import org.longspan.executors.model.ModelShape;
import org.longspan.executors.train.TrainingProgram;
import org.longspan.parallelism.mesh.Mesh;

/**
 * One training run as the driver sees it: checked, launched, watched.
 *
 * @param output the run's folder
 * @param resume whether it goes on from the folder's newest checkpoint
 * @param references losses in nats that the report draws beside the run's
 */
record TrainingRun(
    RunConfiguration configuration, String output, boolean resume, Map<String, Double> references) {

  /**
   * What a run left.
   *
   * @param validationLoss of its last validation, in nats
   * @param checkpoint its newest one
   */
  record Outcome(OptionalDouble validationLoss, String checkpoint) {}

  Mesh mesh() {
    return new Mesh(
        configuration.get(Options.MESH_DATA),
        configuration.get(Options.MESH_SEQUENCE),
        configuration.get(Options.MESH_TENSOR));
  }

  /** How long a rank waits for another. */
  Duration timeLimit() {
    return Duration.ofSeconds(configuration.get(Options.TRANSPORT_TIME_LIMIT));
  }

  /** Refuses what cannot work, before anything is started. */
  void check(Configuration hadoop) throws IOException {
    RunFolder folder = RunFolder.of(hadoop, output);
    if (resume) {
      checkResumed(folder.requireCheckpoint(), dataset(hadoop));
    } else {
      folder.requireNoRun();
      OutputFolder.requireWritable(hadoop, output);
      Tokenizer tokenizer = new ByteTokenizer();
      dataset(hadoop).requireTokenizer(tokenizer.name(), tokenizer.vocabulary());
    }
    int vocabulary = dataset(hadoop).manifest().vocabulary();
    ModelShape.of(configuration, vocabulary).requireSplit(mesh().tensor());
  }

  private void checkResumed(Checkpoint checkpoint, Dataset dataset) {
    CheckpointManifest manifest = checkpoint.manifest();
    dataset.requireTokenizer(manifest.tokenizer(), manifest.vocabulary());
    checkpoint.requireShape(ModelShape.of(configuration, manifest.vocabulary()));
    int steps = configuration.get(Options.TRAIN_STEPS);
    if (manifest.step() >= steps) {
      throw new InvalidInputException(
          String.format(
              "The run %s has done %d of %d steps; raise train.steps to go on with it.",
              output, manifest.step(), steps));
    }
  }

  Outcome run(SparkRuntime spark, Terminal terminal) throws IOException {
    LibraryLog.into(output);
    Dataset dataset = dataset(spark.hadoop());
    RunDescription description = description(dataset);
    ProgressLine line =
        new ProgressLine(terminal.out(), terminal.rewritable(), description.steps());
    LaunchPlan plan = LaunchPlan.of(mesh(), configuration::hash).withTimeLimit(timeLimit());
    TrainingProgram program =
        new TrainingProgram(
            configuration.with(Options.DATA_PATH, dataset.path()),
            SparkRuntime.qualified(spark.hadoop(), output),
            resume ? TrainingProgram.StartFrom.LAST_CHECKPOINT : TrainingProgram.StartFrom.NOTHING);
    try (RunObserver observer =
        resume
            ? RunObserver.resume(spark.hadoop(), description, line)
            : RunObserver.create(spark.hadoop(), description, line)) {
      Interruption.during(
          () -> Launcher.run(spark.context(), plan, program, observer),
          () -> stop(observer, spark.hadoop(), terminal));
      return new Outcome(observer.validationLoss(), observer.checkpoint());
    }
  }

  /** The lines that name what the run left. */
  void nameFiles(Outcome outcome, Configuration hadoop, Terminal terminal) {
    RunFolder folder = RunFolder.of(hadoop, output);
    if (outcome.checkpoint() != null) {
      terminal.line("checkpoint  %s", Location.shown(outcome.checkpoint()));
    }
    terminal.line("log         %s", folder.file(RunObserver.LOG_FILE));
    terminal.line("report      %s", folder.file(RunObserver.REPORT_FILE));
  }

  private void stop(RunObserver observer, Configuration hadoop, Terminal terminal) {
    observer.close();
    String newest = newestCheckpoint(observer, hadoop);
    terminal.line(
        "Stopped after step %d%s",
        observer.steps(),
        newest == null
            ? "; there is no checkpoint yet"
            : "; --resume goes on from " + Location.shown(newest));
  }

  /** In the folder, since ranks may have written one that the driver has not heard of yet. */
  private String newestCheckpoint(RunObserver observer, Configuration hadoop) {
    try {
      return Checkpoints.of(hadoop, output)
          .latest()
          .map(Checkpoint::path)
          .orElse(observer.checkpoint());
    } catch (IOException | InvalidInputException unreadable) {
      return observer.checkpoint();
    }
  }

  private Dataset dataset(Configuration hadoop) {
    return Dataset.open(hadoop, dataPath(configuration));
  }

  /** Where the configuration says that the dataset lies. */
  static String dataPath(RunConfiguration configuration) {
    String path = configuration.get(Options.DATA_PATH);
    if (path.isEmpty()) {
      throw new InvalidInputException(
          "No dataset is named; give the folder that prepare wrote with --data, or as data.path in"
              + " the configuration.");
    }
    return path;
  }

  private RunDescription description(Dataset dataset) {
    SplitSummary train = dataset.manifest().train();
    String data =
        String.format(
            "%s, %,d tokens in %,d sequences of %,d",
            Location.shown(dataset.path()),
            train.tokens(),
            train.sequences(),
            dataset.manifest().sequenceLength());
    Map<String, String> keys = new LinkedHashMap<>();
    configuration.toMap().forEach((key, value) -> keys.put(key, String.valueOf(value)));
    return new RunDescription(
        output,
        data,
        mesh(),
        configuration.get(Options.TRAIN_STEPS),
        keys,
        references,
        BuildVersions.all());
  }
}
