package org.longspan.jobs;

import java.io.PrintWriter;
import java.text.DecimalFormat;
import java.text.DecimalFormatSymbols;
import java.util.Locale;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.concurrent.Callable;
import org.apache.hadoop.conf.Configuration;
import org.longspan.datapipeline.InvalidInputException;
import org.longspan.executors.generate.CacheSize;
import org.longspan.executors.generate.Generator;
import org.longspan.executors.generate.GeneratorOptions;
import org.longspan.executors.generate.Writing;
import org.longspan.executors.latent.CacheSplit;
import org.longspan.executors.latent.LatentReading;
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
      "  longspan generate --checkpoint runs/first --prompt 'def main' --temperature 0",
      "  longspan generate --checkpoint runs/tpla --prompt 'def main' --tensor-ranks 2",
      "  longspan generate --checkpoint runs/mla --prompt 'def main' --tensor-ranks 2 --cache tokens"
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

  @Option(
      names = "--tensor-ranks",
      paramLabel = "N",
      description =
          "Ranks that share the model, threads of this process, each with its share of weights and"
              + " cache (default: the checkpoint's mesh.tensor).")
  private Integer tensorRanks;

  @Option(
      names = "--cache",
      converter = Choice.OfCacheSplit.class,
      paramLabel = "NAME",
      defaultValue = "form",
      description =
          "What each rank keeps for latent mixers: form, of mla the whole latent, of tpla and mlra its"
              + " groups, or tokens, of mla the whole latent of its share of the tokens"
              + " (default: ${DEFAULT-VALUE}).")
  private CacheSplit split;

  @Option(
      names = "--prompts",
      converter = Choice.OfLatentReading.class,
      paramLabel = "NAME",
      description =
          "How latent mixers of form tpla read the prompt: form, as they write, or mla, with one"
              + " softmax over the whole latent (default: the checkpoint's model.latent.prompts,"
              + " which convert sets to mla).")
  private LatentReading prompts;

  @Override
  public Integer call() throws Exception {
    if (tokens < 1) {
      throw new InvalidInputException("--tokens is " + tokens + "; it takes 1 or more.");
    }
    if (!(temperature >= 0)) {
      throw new InvalidInputException("--temperature is " + temperature + "; it takes 0 or more.");
    }
    if (tensorRanks != null && tensorRanks < 1) {
      throw new InvalidInputException("--tensor-ranks is " + tensorRanks + "; it takes 1 or more.");
    }
    GeneratorOptions options =
        new GeneratorOptions(
            tensorRanks == null ? OptionalInt.empty() : OptionalInt.of(tensorRanks),
            split,
            Optional.ofNullable(prompts));
    try (Generator generator = Generator.load(new Configuration(), checkpoint, options)) {
      Writing written = generator.generate(prompt, tokens, temperature, seed);
      Terminal.standard().out().println(prompt + written.text());
      // Not on standard output: that is the text alone.
      PrintWriter err = spec.commandLine().getErr();
      err.println(report(generator));
      err.println(report(written));
    }
    return 0;
  }

  /** What a rank remembers while it writes. */
  private static String report(Generator generator) {
    CacheSize cache = generator.cacheSize();
    int ranks = generator.tensorRanks();
    return String.format(
        Locale.ROOT,
        "Cache%s: %s bytes a token%s, and %,d bytes whatever the length, in numbers of %d bytes.",
        ranks == 1 ? "" : " of each of " + ranks + " tensor ranks",
        new DecimalFormat("#,##0.##", DecimalFormatSymbols.getInstance(Locale.ROOT))
            .format(cache.perToken()),
        ranks == 1 ? "" : generator.cachedOfToken().map(phrase -> " (" + phrase + ")").orElse(""),
        cache.constant(),
        generator.bytesOfNumber());
  }

  /** How fast it was. */
  static String report(Writing written) {
    return String.format(
        Locale.ROOT,
        "Speed: %,d tokens of the prompt at %,.0f tokens/s, %,d tokens written at %,.0f tokens/s.",
        written.promptTokens(),
        written.promptTokens() / written.promptSeconds(),
        written.tokens(),
        written.tokens() / written.seconds());
  }
}
