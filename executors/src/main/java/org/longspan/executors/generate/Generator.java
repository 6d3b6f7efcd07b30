package org.longspan.executors.generate;

import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.function.Function;
import java.util.stream.IntStream;
import org.apache.hadoop.conf.Configuration;
import org.longspan.datapipeline.InvalidInputException;
import org.longspan.datapipeline.tokenizer.ByteTokenizer;
import org.longspan.executors.checkpoint.Checkpoint;
import org.longspan.executors.configuration.Options;
import org.longspan.executors.kernel.Workers;
import org.longspan.executors.latent.LatentForm;
import org.longspan.executors.latent.LatentNames;
import org.longspan.executors.latent.LatentReading;
import org.longspan.executors.latent.LatentShape;
import org.longspan.executors.layer.TensorPlace;
import org.longspan.executors.math.Numerics;
import org.longspan.executors.memory.Arena;
import org.longspan.executors.memory.Matrix;
import org.longspan.executors.model.ModelShape;
import org.longspan.parallelism.collective.Communicator;
import org.longspan.parallelism.transport.InProcessTransport;
import org.longspan.parallelism.transport.LocalRanks;
import org.nd4j.linalg.factory.Nd4j;

/**
 * Writes text with a checkpoint's model, on one rank or on several that are threads of this
 * process, each with its share of weights and cache; they write what one does. It remembers a state
 * for each mixer of linear attention and a window of keys and values for each local one, whatever
 * the text's length, and for each latent one a row of every token.
 *
 * <p>Threading: one thread.
 */
public final class Generator implements AutoCloseable {
  private static final Duration TIME_LIMIT = Duration.ofMinutes(2);

  private final ByteTokenizer tokenizer = new ByteTokenizer();
  private final ModelShape shape;
  private final Numerics numerics;
  private final GeneratorOptions options;
  private final int tensorRanks;
  private final LatentReading prompts;
  private final List<Arena> arenas = new ArrayList<>();

  /** Of each rank. */
  private final List<Map<String, Matrix>> parameters = new ArrayList<>();

  private Generator(Checkpoint checkpoint, GeneratorOptions options) {
    this.shape = checkpoint.shape();
    this.numerics = Numerics.of(checkpoint.configuration().get(Options.PRECISION));
    this.options = options;
    this.tensorRanks =
        options.tensorRanks().orElseGet(() -> checkpoint.configuration().get(Options.MESH_TENSOR));
    this.prompts =
        options
            .prompts()
            .orElseGet(() -> checkpoint.configuration().get(Options.MODEL_LATENT_PROMPTS));
  }

  /**
   * Reads the checkpoint at {@code path}: its own folder, or a run's.
   *
   * @throws InvalidInputException where its model cannot be laid out as {@code options} say
   */
  public static Generator load(Configuration hadoop, String path, GeneratorOptions options)
      throws IOException {
    Checkpoint checkpoint = Checkpoint.open(hadoop, path);
    ByteTokenizer bytes = new ByteTokenizer();
    if (!checkpoint.manifest().tokenizer().equals(bytes.name())) {
      throw new InvalidInputException(
          "Checkpoint "
              + checkpoint.path()
              + " was trained with the tokenizer "
              + checkpoint.manifest().tokenizer()
              + "; text is generated with "
              + bytes.name()
              + ".");
    }
    Generator generator = new Generator(checkpoint, options);
    options.check(checkpoint.shape(), generator.tensorRanks);
    // The calling thread does a whole product, as in training.
    Nd4j.factory().blas().setMaxThreads(1);
    try {
      generator.read(checkpoint);
    } catch (IOException | RuntimeException | Error e) {
      generator.close();
      throw e;
    }
    return generator;
  }

  private void read(Checkpoint checkpoint) throws IOException {
    for (int rank = 0; rank < tensorRanks; rank++) {
      Arena arena = new Arena("of rank " + rank + " of the generator", numerics.precision());
      arenas.add(arena);
      TensorPlace place = new TensorPlace(rank, tensorRanks);
      parameters.add(checkpoint.readParameters(place, arena));
    }
  }

  /**
   * Goes on from {@code prompt}, by {@code tokens} tokens at most; it stops where the model ends
   * the document.
   *
   * @param temperature 0 takes the likeliest token; 1 draws as the model says
   */
  public Writing generate(String prompt, int tokens, double temperature, long seed) {
    // All ranks have the same logits and draw alike.
    return onEachRank(decoding -> write(decoding, prompt, tokens, temperature, new Random(seed)));
  }

  /** What the first rank makes of it; the others do the same. */
  private <R> R onEachRank(Function<Decoding, R> work) {
    return LocalRanks.run(
            InProcessTransport.connect(tensorRanks, TIME_LIMIT),
            transport -> {
              List<Integer> all = IntStream.range(0, tensorRanks).boxed().toList();
              try (Communicator tensor = Communicator.over(transport, all, 1);
                  Workers workers = new Workers(1);
                  Decoding decoding =
                      new Decoding(
                          shape,
                          numerics,
                          parameters.get(transport.rank()),
                          options.split(),
                          workers,
                          tensor)) {
                return work.apply(decoding);
              }
            })
        .get(0);
  }

  private Writing write(
      Decoding decoding, String prompt, int tokens, double temperature, Random random) {
    int[] encoded = tokenizer.encodeDocument(prompt);
    List<Integer> written = new ArrayList<>();
    long start = System.nanoTime();
    // The prompt's own end is not part of it: the document goes on.
    int promptTokens = encoded.length - 1;
    Matrix logits = null;
    for (int i = 0; i < promptTokens; i++) {
      logits = decoding.step(encoded[i], prompts);
    }
    long read = System.nanoTime();
    while (written.size() < tokens) {
      int token = choose(logits, temperature, random);
      if (token == tokenizer.endOfDocument()) {
        break;
      }
      written.add(token);
      logits = decoding.step(token, LatentReading.FORM);
    }
    return new Writing(
        tokenizer.decode(written.stream().mapToInt(Integer::intValue).toArray()),
        promptTokens,
        (read - start) / 1e9,
        written.size(),
        (System.nanoTime() - read) / 1e9);
  }

  /** Ranks that share the model. */
  public int tensorRanks() {
    return tensorRanks;
  }

  /** Bytes of a number of the cache. */
  public int bytesOfNumber() {
    return numerics.precision().bytes();
  }

  /** What a rank remembers of a text, of all layers; the same on each rank. */
  public CacheSize cacheSize() {
    return onEachRank(Decoding::cacheSize);
  }

  /** What a rank keeps of each token for latent mixers, a phrase; empty where there are none. */
  public Optional<String> cachedOfToken() {
    LatentShape latent = shape.latent();
    if (latent == null) {
      return Optional.empty();
    }
    String whole =
        latent.form() == LatentForm.MLA ? "the whole latent" : "its groups of the latent";
    return Optional.of(
        switch (options.split()) {
          case FORM -> LatentNames.of(latent.form()) + ": " + whole;
          case TOKENS -> "mla: the whole latent of its share of the tokens";
        });
  }

  private static int choose(Matrix logits, double temperature, Random random) {
    int best = 0;
    for (int token = 1; token < logits.columns(); token++) {
      if (logits.get(0, token) > logits.get(0, best)) {
        best = token;
      }
    }
    if (temperature == 0) {
      return best;
    }
    double maximum = logits.get(0, best);
    double[] weights = new double[logits.columns()];
    double sum = 0;
    for (int token = 0; token < weights.length; token++) {
      weights[token] = Math.exp((logits.get(0, token) - maximum) / temperature);
      sum += weights[token];
    }
    double left = random.nextDouble() * sum;
    for (int token = 0; token < weights.length; token++) {
      left -= weights[token];
      if (left < 0) {
        return token;
      }
    }
    return best;
  }

  @Override
  public void close() {
    arenas.forEach(Arena::close);
  }
}
