package org.longspan.jobs;

import java.util.Locale;
import java.util.concurrent.Callable;
import org.apache.hadoop.conf.Configuration;
import org.longspan.datapipeline.InvalidInputException;
import org.longspan.executors.generate.CacheSize;
import org.longspan.executors.generate.Generator;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** Lets a model write. */
@Command(
    name = "generate",
    description = "Let a model go on from a prompt.",
    footerHeading = "%nExamples:%n",
    footer = {
      "  longspan generate --checkpoint runs/first --prompt 'def main' --tokens 200",
      "  longspan generate --checkpoint runs/first --prompt 'def main' --temperature 0"
    })
final class GenerateCommand implements Callable<Integer> {
  @Spec private CommandSpec spec;

  @Option(
      names = "--checkpoint",
      required = true,
      paramLabel = "FOLDER",
      description = "A checkpoint, or a run's folder for its newest one.")
  private String checkpoint;

  @Option(
      names = "--prompt",
      required = true,
      paramLabel = "TEXT",
      description = "What the text begins with; may be empty.")
  private String prompt;

  @Option(
      names = "--tokens",
      paramLabel = "N",
      defaultValue = "256",
      description = "Tokens to write at most (default: ${DEFAULT-VALUE}).")
  private int tokens;

  @Option(
      names = "--temperature",
      paramLabel = "T",
      defaultValue = "0.8",
      description =
          "How boldly to choose; 0 takes the likeliest token (default: ${DEFAULT-VALUE}).")
  private double temperature;

  @Option(
      names = "--seed",
      paramLabel = "N",
      defaultValue = "1",
      description = "The same seed writes the same text (default: ${DEFAULT-VALUE}).")
  private long seed;

  @Override
  public Integer call() throws Exception {
    if (tokens < 1) {
      throw new InvalidInputException("--tokens is " + tokens + "; it takes 1 or more.");
    }
    if (!(temperature >= 0)) {
      throw new InvalidInputException("--temperature is " + temperature + "; it takes 0 or more.");
    }
    try (Generator generator = Generator.load(new Configuration(), checkpoint)) {
      String written = generator.generate(prompt, tokens, temperature, seed);
      Terminal.standard().out().println(prompt + written);
      // Not on standard output: that is the text alone.
      spec.commandLine().getErr().println(report(generator.cacheSize()));
    }
    return 0;
  }

  /** What the model remembers while it writes. */
  static String report(CacheSize cache) {
    return String.format(
        Locale.ROOT,
        "Cache: %,d bytes a token, and %,d bytes whatever the length.",
        cache.perToken(),
        cache.constant());
  }
}
