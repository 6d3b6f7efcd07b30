package org.longspan.executors.generate;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.apache.hadoop.conf.Configuration;
import org.longspan.datapipeline.InvalidInputException;
import org.longspan.datapipeline.tokenizer.ByteTokenizer;
import org.longspan.executors.checkpoint.Checkpoint;
import org.longspan.executors.configuration.Options;
import org.longspan.executors.kernel.Workers;
import org.longspan.executors.math.Numerics;
import org.longspan.executors.memory.Arena;
import org.longspan.executors.memory.Matrix;
import org.longspan.executors.model.ModelShape;

/**
 * Writes text with a checkpoint's model, on one rank. It remembers a state for each mixer of linear
 * attention and a window of keys and values for each local one, whatever the text's length, and for
 * each latent one a row of every token.
 *
 * <p>Threading: one thread.
 */
public final class Generator implements AutoCloseable {
  private final ByteTokenizer tokenizer = new ByteTokenizer();
  private final ModelShape shape;
  private final Numerics numerics;
  private final Arena arena;
  private final Workers workers = new Workers(1);
  private final Map<String, Matrix> parameters;

  private Generator(
      ModelShape shape, Numerics numerics, Arena arena, Map<String, Matrix> parameters) {
    this.shape = shape;
    this.numerics = numerics;
    this.arena = arena;
    this.parameters = parameters;
  }

  /** Reads the checkpoint at {@code path}: its own folder, or a run's. */
  public static Generator load(Configuration hadoop, String path) throws IOException {
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
    Numerics numerics = Numerics.of(checkpoint.configuration().get(Options.PRECISION));
    Arena arena = new Arena("of the generator", numerics.precision());
    return new Generator(checkpoint.shape(), numerics, arena, checkpoint.readParameters(arena));
  }

  /**
   * Goes on from {@code prompt}, by {@code tokens} tokens at most; it stops where the model ends
   * the document.
   *
   * @param temperature 0 takes the likeliest token; 1 draws as the model says
   */
  public String generate(String prompt, int tokens, double temperature, long seed) {
    Random random = new Random(seed);
    int[] encoded = tokenizer.encodeDocument(prompt);
    List<Integer> written = new ArrayList<>();
    try (Decoding decoding = new Decoding(shape, numerics, parameters, workers)) {
      // The prompt's own end is not part of it: the document goes on.
      Matrix logits = null;
      for (int i = 0; i < encoded.length - 1; i++) {
        logits = decoding.step(encoded[i]);
      }
      while (written.size() < tokens) {
        int token = choose(logits, temperature, random);
        if (token == tokenizer.endOfDocument()) {
          break;
        }
        written.add(token);
        logits = decoding.step(token);
      }
    }
    return tokenizer.decode(written.stream().mapToInt(Integer::intValue).toArray());
  }

  /** What it remembers of a text, of all layers. */
  public CacheSize cacheSize() {
    try (Decoding decoding = new Decoding(shape, numerics, parameters, workers)) {
      return decoding.cacheSize();
    }
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
    workers.close();
    arena.close();
  }
}
