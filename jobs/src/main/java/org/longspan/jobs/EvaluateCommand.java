package org.longspan.jobs;

import java.util.concurrent.Callable;
import org.longspan.datapipeline.InvalidInputException;
import org.longspan.executors.kernel.KernelChoice;
import org.longspan.parallelism.mesh.Mesh;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** Measures a model. */
@Command(
    name = "evaluate",
    description = "Measure a model on the validation split: loss, bits per byte, perplexity.",
    footerHeading = "%nExamples:%n",
    footer = {
      "  longspan evaluate --checkpoint runs/first/checkpoints/step-100 --data corpus",
      "  longspan evaluate --checkpoint runs/first --data corpus --ranks 4",
      "  longspan evaluate --checkpoint runs/first --data corpus --data-ranks 2 --kernel cpu"
    })
final class EvaluateCommand implements Callable<Integer> {
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
      description = "The prepared dataset.")
  private String data;

  @Option(
      names = "--ranks",
      paramLabel = "N",
      defaultValue = "1",
      description = "Ranks that a sequence is cut over (default: ${DEFAULT-VALUE}).")
  private int ranks;

  @Option(
      names = "--tensor-ranks",
      paramLabel = "N",
      defaultValue = "1",
      description =
          "Ranks that share a slice, each with a share of the model (default: ${DEFAULT-VALUE}).")
  private int tensorRanks;

  @Option(
      names = "--data-ranks",
      paramLabel = "N",
      defaultValue = "1",
      description =
          "Sequences that are measured at the same time, each by --ranks times --tensor-ranks ranks (default: ${DEFAULT-VALUE}).")
  private int dataRanks;

  @Option(
      names = "--kernel",
      converter = Choice.OfKernel.class,
      paramLabel = "NAME",
      defaultValue = "auto",
      description =
          "auto, cpu, aparapi or aparapi-bf16, whatever the run computed with (default: ${DEFAULT-VALUE}).")
  private KernelChoice kernel;

  @Option(
      names = "--master",
      paramLabel = "URL",
      description = "Spark's master; without it, what spark-submit says or an embedded Spark.")
  private String master;

  @Override
  public Integer call() {
    requirePositive("--ranks", ranks);
    requirePositive("--data-ranks", dataRanks);
    requirePositive("--tensor-ranks", tensorRanks);
    Mesh mesh = new Mesh(dataRanks, ranks, tensorRanks);
    Evaluation evaluation = new Evaluation(checkpoint, data, mesh, kernel);
    evaluation.check(SparkRuntime.hadoopBeforeStart());
    try (SparkRuntime spark = SparkRuntime.start("evaluate", master, mesh.size())) {
      evaluation.run(spark).print(Terminal.standard());
    }
    return 0;
  }

  private static void requirePositive(String option, int value) {
    if (value < 1) {
      throw new InvalidInputException(option + " is " + value + "; it takes 1 or more.");
    }
  }
}
