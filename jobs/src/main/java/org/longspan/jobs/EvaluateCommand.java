package org.longspan.jobs;

import java.util.concurrent.Callable;
import org.longspan.datapipeline.InvalidInputException;
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
      "  longspan evaluate --checkpoint runs/first --data corpus --ranks 4"
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
      names = "--master",
      paramLabel = "URL",
      description = "Spark's master; without it, what spark-submit says or an embedded Spark.")
  private String master;

  @Override
  public Integer call() {
    if (ranks < 1) {
      throw new InvalidInputException("--ranks is " + ranks + "; it takes 1 or more.");
    }
    Evaluation evaluation = new Evaluation(checkpoint, data, new Mesh(1, ranks, 1));
    evaluation.check(SparkRuntime.hadoopBeforeStart());
    try (SparkRuntime spark = SparkRuntime.start("evaluate", master, ranks)) {
      evaluation.run(spark).print(Terminal.standard());
    }
    return 0;
  }
}
