package org.longspan.jobs;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import org.longspan.datapipeline.InvalidInputException;
import org.longspan.datapipeline.dataset.Dataset;
import org.longspan.datapipeline.dataset.Split;
import org.longspan.datapipeline.prepare.PrepareOptions;
import org.longspan.datapipeline.statistics.TokenEntropy;
import org.longspan.driver.progress.Durations;
import org.longspan.executors.configuration.Options;
import org.longspan.executors.configuration.RunConfiguration;
import org.longspan.executors.generate.Generator;
import org.longspan.executors.generate.GeneratorOptions;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** The whole way once: text in, a trained model out. */
@Command(
    name = "demo",
    description = "Fetch text, prepare it, train a small model on two executors, and try it.",
    footerHeading = "%nExamples:%n",
    footer = {"  longspan demo", "  longspan demo --output first-try --steps 20"})
final class DemoCommand implements Callable<Integer> {
  private static final int SEQUENCE_LENGTH = 16_384;
  private static final String PROMPT = "  /** Returns ";
  private static final int SAMPLE_TOKENS = 400;
  private static final double TEMPERATURE = 0.7;

  @Option(
      names = "--output",
      paramLabel = "FOLDER",
      defaultValue = "longspan-demo",
      description =
          "A local folder for everything that the demo makes (default: ${DEFAULT-VALUE}).")
  private Path output;

  @Option(
      names = "--steps",
      paramLabel = "N",
      description = "Steps to train, instead of those of jobs/demo/demo.yaml.")
  private Integer steps;

  @Option(
      names = "--master",
      paramLabel = "URL",
      description = "Spark's master; without it, what spark-submit says or an embedded Spark.")
  private String master;

  private final Terminal terminal = Terminal.standard();
  private final long started = System.nanoTime();

  @Override
  public Integer call() throws IOException, InterruptedException {
    Path home = home();
    Map<String, String> settings = new LinkedHashMap<>();
    settings.put(Options.DATA_PATH.key(), output.resolve("data").toString());
    if (steps != null) {
      settings.put(Options.TRAIN_STEPS.key(), Integer.toString(steps));
    }
    RunConfiguration configuration =
        RunConfiguration.load(home.resolve("jobs/demo/demo.yaml"), settings);
    requireRoom();
    LibraryLog.into(output.toString());

    heading("Text", "Spark's own sources, from Maven Central");
    DemoText.fetch(home, output.resolve("text"));

    TrainingRun training =
        new TrainingRun(configuration, output.resolve("run").toString(), false, Map.of());
    try (SparkRuntime spark =
        SparkRuntime.start("demo", master, training.mesh().size(), training.timeLimit())) {
      TokenEntropy entropy = prepare(spark);
      train(spark, training, entropy);
    }
    return 0;
  }

  private TokenEntropy prepare(SparkRuntime spark) {
    heading("Prepare", "sequences of 16,384 tokens");
    PrepareCommand.prepare(
        spark,
        PrepareOptions.of(List.of(output.resolve("text").toString()), data(), SEQUENCE_LENGTH),
        terminal);
    TokenEntropy entropy = TokenEntropy.of(Dataset.open(spark.hadoop(), data()), Split.VALIDATION);
    terminal.line(
        "entropy     of the validation text: unigram %.4f, bigram %.4f nats a token",
        entropy.unigram(), entropy.bigram());
    return entropy;
  }

  private void train(SparkRuntime spark, TrainingRun plain, TokenEntropy entropy)
      throws IOException {
    Map<String, Double> references = new LinkedHashMap<>();
    references.put("unigram entropy", entropy.unigram());
    references.put("bigram entropy", entropy.bigram());
    TrainingRun training =
        new TrainingRun(plain.configuration(), plain.output(), false, references);
    heading("Train", spark.place(training.mesh().size()));
    long begin = System.nanoTime();
    TrainingRun.Outcome outcome = training.run(spark, terminal);
    double trained = seconds(begin);

    heading("Evaluate", "the validation split");
    Evaluation.Result result =
        new Evaluation(
                outcome.checkpoint(),
                data(),
                training.mesh(),
                training.configuration().get(Options.KERNEL))
            .run(spark);
    result.print(terminal);

    heading("Generate", "from \"" + PROMPT.strip() + "\"");
    try (Generator generator =
        Generator.load(spark.hadoop(), outcome.checkpoint(), GeneratorOptions.ONE_RANK)) {
      terminal
          .out()
          .println(PROMPT + generator.generate(PROMPT, SAMPLE_TOKENS, TEMPERATURE, 1).text());
    }

    heading("Done", Durations.words(seconds(started)) + ", training " + Durations.words(trained));
    terminal.line(
        "Validation loss %.4f nats: %s the bigram entropy %.4f of the validation text (unigram %.4f)",
        result.loss(),
        result.loss() < entropy.bigram() ? "below" : "not below",
        entropy.bigram(),
        entropy.unigram());
    training.nameFiles(outcome, spark.hadoop(), terminal);
  }

  private void requireRoom() throws IOException {
    if (Files.exists(output)) {
      try (var entries = Files.newDirectoryStream(output)) {
        if (entries.iterator().hasNext()) {
          throw new InvalidInputException(
              "The output " + output + " exists already; delete it or name another with --output.");
        }
      }
    }
    Files.createDirectories(output.resolve("text"));
  }

  private static Path home() {
    String home = System.getenv("LONGSPAN_HOME");
    if (home == null) {
      throw new InvalidInputException(
          "LONGSPAN_HOME is not set, where the demo's configuration lies; start it by bin/longspan.");
    }
    return Path.of(home);
  }

  private void heading(String name, String what) {
    terminal.line("%n%s: %s", name, what);
  }

  private String data() {
    return output.resolve("data").toString();
  }

  private static double seconds(long since) {
    return (System.nanoTime() - since) / 1e9;
  }
}
