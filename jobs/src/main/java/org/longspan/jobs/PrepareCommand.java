package org.longspan.jobs;

import java.util.List;
import java.util.concurrent.Callable;
import org.longspan.datapipeline.InvalidInputException;
import org.longspan.datapipeline.dataset.Location;
import org.longspan.datapipeline.dataset.Manifest;
import org.longspan.datapipeline.dataset.SplitSummary;
import org.longspan.datapipeline.prepare.Prepare;
import org.longspan.datapipeline.prepare.PrepareOptions;
import org.longspan.datapipeline.prepare.PrepareResult;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** Makes a dataset of text. */
@Command(
    name = "prepare",
    description = "Turn text files, archives or Parquet tables into a dataset of packed sequences.",
    footerHeading = "%nExamples:%n",
    footer = {
      "  longspan prepare --input books --output corpus",
      "  longspan prepare --input pages.parquet --text-column body --output corpus",
      "  longspan prepare --input a.zip --output corpus --sequence-length 131072"
    })
final class PrepareCommand implements Callable<Integer> {
  @Option(
      names = "--input",
      required = true,
      paramLabel = "PATH",
      description =
          "A text file, a folder, a zip or jar archive, or Parquet; on any Hadoop file system. May be repeated.")
  private List<String> inputs;

  @Option(
      names = "--output",
      required = true,
      paramLabel = "FOLDER",
      description = "The dataset's folder, which must not exist or be empty.")
  private String output;

  @Option(
      names = "--sequence-length",
      paramLabel = "N",
      defaultValue = "16384",
      description = "Tokens of a sequence (default: ${DEFAULT-VALUE}).")
  private int sequenceLength;

  @Option(
      names = "--text-column",
      paramLabel = "NAME",
      defaultValue = PrepareOptions.DEFAULT_TEXT_COLUMN,
      description = "The column of Parquet that holds the text (default: ${DEFAULT-VALUE}).")
  private String textColumn;

  @Option(
      names = "--validation-share",
      paramLabel = "S",
      defaultValue = "" + PrepareOptions.DEFAULT_VALIDATION_SHARE,
      description = "The share of documents kept for validation (default: ${DEFAULT-VALUE}).")
  private double validationShare;

  @Option(
      names = "--master",
      paramLabel = "URL",
      description = "Spark's master; without it, what spark-submit says or an embedded Spark.")
  private String master;

  @Override
  public Integer call() {
    PrepareOptions options =
        PrepareOptions.of(inputs, output, sequenceLength)
            .withTextColumn(textColumn)
            .withValidationShare(validationShare);
    inputs.forEach(PrepareCommand::requireInput);
    OutputFolder.requireWritable(SparkRuntime.hadoopBeforeStart(), output);
    try (SparkRuntime spark = SparkRuntime.start("prepare", master)) {
      prepare(spark, options, Terminal.standard());
    }
    return 0;
  }

  /** Before Spark is started, which takes a while. */
  private static void requireInput(String input) {
    if (Location.of(SparkRuntime.hadoopBeforeStart(), input).status().isEmpty()) {
      throw new InvalidInputException(
          "The input " + input + " does not exist; give a file or a folder.");
    }
  }

  /** Prepares, and says what became of the input. */
  static void prepare(SparkRuntime spark, PrepareOptions options, Terminal terminal) {
    PrepareResult result;
    try (StageProgress progress = new StageProgress(spark, "prepare", terminal)) {
      progress.start();
      result = Prepare.run(spark.session(), options);
    }
    Manifest manifest = result.manifest();
    terminal.line("dataset     %s", Location.shown(result.output()));
    splitLine("training", manifest.train(), manifest, terminal);
    splitLine("validation", manifest.validation(), manifest, terminal);
    terminal.line(
        "skipped     %,d not UTF-8 text, %,d empty, %,d too large",
        manifest.skipped().notText(), manifest.skipped().empty(), manifest.skipped().tooLarge());
    result.skippedNames().forEach(name -> terminal.line("            %s", name));
    long others = manifest.skipped().total() - result.skippedNames().size();
    if (others > 0 && !result.skippedNames().isEmpty()) {
      terminal.line("            and %,d more", others);
    }
  }

  private static void splitLine(
      String name, SplitSummary split, Manifest manifest, Terminal terminal) {
    if (split == null) {
      terminal.line("%-11s none", name);
    } else {
      terminal.line(
          "%-11s %,d documents, %,d tokens in %,d sequences of %,d",
          name, split.documents(), split.tokens(), split.sequences(), manifest.sequenceLength());
    }
  }
}
