package org.longspan.jobs;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Callable;
import org.apache.hadoop.conf.Configuration;
import org.longspan.datapipeline.InvalidInputException;
import org.longspan.datapipeline.dataset.Dataset;
import org.longspan.datapipeline.dataset.Split;
import org.longspan.driver.launch.Launcher;
import org.longspan.driver.plan.LaunchPlan;
import org.longspan.executors.checkpoint.Checkpoint;
import org.longspan.executors.configuration.RunConfiguration;
import org.longspan.executors.convert.LatentConversion;
import org.longspan.executors.convert.TransformKind;
import org.longspan.executors.latent.LatentForm;
import org.longspan.executors.latent.LatentNorm;
import org.longspan.executors.train.ConversionProgram;
import org.longspan.executors.train.RankEvent;
import org.longspan.parallelism.mesh.Mesh;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** Turns a trained MLA model into a TPLA model. */
@Command(
    name = "convert",
    description = {
      "Turn a model with latent mixers of form mla into one of form tpla, whose cache can be split over"
          + " ranks when it generates, and measure both on the validation split.",
      "With more than one group the new model is an approximation: train it on from its folder"
          + " (train --resume) to heal it."
    },
    footerHeading = "%nExamples:%n",
    footer = {
      "  longspan convert --checkpoint runs/mla --data corpus --output runs/tpla --to tpla --groups 2",
      "  longspan convert --checkpoint runs/mla --data corpus --output runs/tpla --to tpla --groups 4"
          + " --transform pca --norm local"
    })
final class ConvertCommand implements Callable<Integer> {
  private static final Mesh ONE_RANK = new Mesh(1, 1, 1);

  @Option(
      names = "--checkpoint",
      required = true,
      paramLabel = "FOLDER",
      description = "A checkpoint, or a run's folder for its newest one.")
  private String checkpoint;

  @Option(
      names = "--data",
      required = true,
      paramLabel = "FOLDER",
      description = "The dataset that it was trained on.")
  private String data;

  @Option(
      names = "--output",
      required = true,
      paramLabel = "FOLDER",
      description = "The new run's folder.")
  private String output;

  @Option(
      names = "--to",
      required = true,
      converter = Choice.OfLatentForm.class,
      paramLabel = "FORM",
      description = "tpla.")
  private LatentForm form;

  @Option(
      names = "--groups",
      paramLabel = "N",
      defaultValue = "2",
      description = "Groups of the latent's columns (default: ${DEFAULT-VALUE}).")
  private int groups;

  @Option(
      names = "--transform",
      converter = Choice.OfTransform.class,
      paramLabel = "NAME",
      defaultValue = "hadamard",
      description =
          "How the latent is turned before it is cut: hadamard, by random signs, for a"
              + " model.latent.rank that is a power of two, or pca, along the principal components of"
              + " the training data (default: ${DEFAULT-VALUE}).")
  private TransformKind transform;

  @Option(
      names = "--norm",
      converter = Choice.OfLatentNorm.class,
      paramLabel = "NAME",
      defaultValue = "exact",
      description =
          "exact, over all groups, or local, estimated by each from its share of the squares on the"
              + " training data (default: ${DEFAULT-VALUE}).")
  private LatentNorm norm;

  @Option(
      names = "--calibrate",
      paramLabel = "N",
      defaultValue = "4",
      description =
          "Sequences of the training split that pca, local norms and the factors of groups' scores are"
              + " calibrated on (default: ${DEFAULT-VALUE}).")
  private int sequences;

  @Option(
      names = "--seed",
      paramLabel = "N",
      defaultValue = "1",
      description = "Draws hadamard's signs (default: ${DEFAULT-VALUE}).")
  private long seed;

  @Option(
      names = "--master",
      paramLabel = "URL",
      description = "Spark's master; without it, what spark-submit says or an embedded Spark.")
  private String master;

  @Override
  public Integer call() {
    if (form != LatentForm.TPLA) {
      throw new InvalidInputException(
          "--to is " + form.name().toLowerCase(Locale.ROOT) + "; it takes tpla.");
    }
    if (sequences < 1) {
      throw new InvalidInputException("--calibrate is " + sequences + "; it takes 1 or more.");
    }
    Configuration hadoop = SparkRuntime.hadoopBeforeStart();
    RunConfiguration converted = check(hadoop);
    try (SparkRuntime spark = SparkRuntime.start("convert", master, ONE_RANK.size())) {
      List<RankEvent.Validation> losses = convert(spark, converted);
      double before = losses.get(0).loss();
      double after = losses.get(1).loss();
      Terminal terminal = Terminal.standard();
      terminal.line(
          "Validation loss  %.4f nats a token before, %.4f after (%+.4f), over %,d tokens",
          before, after, after - before, losses.get(1).tokens());
      terminal.line(
          "checkpoint       %s; go on with it by train --resume, with this form, groups and norm, and"
              + " with model.latent.prompts: mla where prompts are to be read as before",
          RunFolder.of(spark.hadoop(), output).file("checkpoints"));
    }
    return 0;
  }

  /** Refuses what cannot be converted, before anything is started; gives the new configuration. */
  private RunConfiguration check(Configuration hadoop) {
    Checkpoint opened = Checkpoint.open(hadoop, checkpoint);
    new LatentConversion(transform, seed).check(opened.shape().latent());
    int rank = opened.shape().latent().rank();
    if (groups < 1 || rank % groups != 0) {
      throw new InvalidInputException(
          "--groups is "
              + groups
              + "; it takes a divisor of the checkpoint's model.latent.rank, "
              + rank
              + ".");
    }
    Dataset dataset = Dataset.open(hadoop, data);
    opened.requireData(dataset.manifest());
    dataset.split(Split.VALIDATION);
    RunFolder.of(hadoop, output).requireNoRun();
    OutputFolder.requireWritable(hadoop, output);
    return RunConfiguration.parse(
        opened.manifest().configuration(),
        opened.path(),
        Map.of(
            // Whatever the model was trained on, one rank converts it.
            "mesh.tensor",
            "1",
            "model.latent.form",
            "tpla",
            "model.latent.groups",
            Integer.toString(groups),
            "model.latent.norm",
            norm.name().toLowerCase(Locale.ROOT),
            "model.latent.prompts",
            "mla"));
  }

  private List<RankEvent.Validation> convert(SparkRuntime spark, RunConfiguration converted) {
    List<RankEvent.Validation> losses = new ArrayList<>();
    String asked = checkpoint + " on " + data + " to " + output;
    Launcher.run(
        spark.context(),
        // A second attempt would measure the first model again.
        LaunchPlan.of(ONE_RANK, () -> asked).withAttempts(1),
        new ConversionProgram(
            SparkRuntime.qualified(spark.hadoop(), checkpoint),
            SparkRuntime.qualified(spark.hadoop(), data),
            SparkRuntime.qualified(spark.hadoop(), output),
            converted,
            transform,
            seed,
            sequences),
        event -> {
          if (event instanceof RankEvent.Validation validation) {
            losses.add(validation);
          }
        });
    if (losses.size() != 2) {
      throw new IllegalStateException("The rank ended without both validation losses");
    }
    return losses;
  }
}
