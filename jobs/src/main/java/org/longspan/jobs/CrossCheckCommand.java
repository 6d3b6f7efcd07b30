package org.longspan.jobs;

import java.nio.file.Path;
import java.util.concurrent.Callable;
import org.apache.hadoop.conf.Configuration;
import org.longspan.executors.crosscheck.CrossCheck;
import org.longspan.executors.crosscheck.CrossCheckOptions;
import org.longspan.executors.kernel.KernelChoice;
import org.longspan.executors.memory.Precision;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** Writes what a model makes of a batch, for another framework to check. */
@Command(
    name = "crosscheck",
    description = {
      "Write one sequence of the validation split and a model's logits, loss and gradients of it to a safetensors file,"
          + " which jobs/crosscheck/crosscheck.py compares with PyTorch."
    },
    footerHeading = "%nExample:%n",
    footer = {
      "  longspan crosscheck --checkpoint runs/first --data corpus --ranks 2 \\",
      "    --output batch.safetensors"
    })
final class CrossCheckCommand implements Callable<Integer> {
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
      description =
          "Ranks that the sequence is cut over; threads of this process (default: ${DEFAULT-VALUE}).")
  private int ranks;

  @Option(
      names = "--tokens",
      paramLabel = "N",
      defaultValue = "" + CrossCheckOptions.TOKENS,
      description = "Tokens to take of the sequence, at most (default: ${DEFAULT-VALUE}).")
  private int tokens;

  @Option(
      names = "--kernel",
      converter = Choice.OfKernel.class,
      paramLabel = "NAME",
      defaultValue = "cpu",
      description =
          "cpu, or with --precision float aparapi or aparapi-bf16 (default: ${DEFAULT-VALUE}).")
  private KernelChoice kernel;

  @Option(
      names = "--precision",
      converter = Choice.OfPrecision.class,
      paramLabel = "NAME",
      defaultValue = "double",
      description =
          "double, which proves the formulas, or float, which trains (default: ${DEFAULT-VALUE}).")
  private Precision precision;

  @Option(
      names = "--output",
      required = true,
      paramLabel = "FILE",
      description = "Where the result goes, safetensors.")
  private Path output;

  @Override
  public Integer call() throws Exception {
    CrossCheck.Summary found =
        CrossCheck.run(
            new Configuration(),
            new CrossCheckOptions(checkpoint, data, ranks, tokens, kernel, precision, output));
    Terminal.standard()
        .line(
            "Loss %.6f nats over %,d predicted of %,d tokens; wrote %s",
            found.loss(), found.predicted(), found.tokens(), output);
    return 0;
  }
}
