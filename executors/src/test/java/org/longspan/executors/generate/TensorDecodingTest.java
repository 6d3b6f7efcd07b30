package org.longspan.executors.generate;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Random;
import java.util.stream.IntStream;
import org.apache.hadoop.conf.Configuration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.longspan.datapipeline.InvalidInputException;
import org.longspan.datapipeline.dataset.Manifest;
import org.longspan.datapipeline.dataset.SkippedInput;
import org.longspan.datapipeline.dataset.SplitSummary;
import org.longspan.datapipeline.tokenizer.ByteTokenizer;
import org.longspan.executors.checkpoint.Checkpoint;
import org.longspan.executors.checkpoint.Checkpoints;
import org.longspan.executors.configuration.Options;
import org.longspan.executors.configuration.RunConfiguration;
import org.longspan.executors.kernel.Workers;
import org.longspan.executors.latent.CacheSplit;
import org.longspan.executors.latent.LatentReading;
import org.longspan.executors.layer.TensorPlace;
import org.longspan.executors.math.Numerics;
import org.longspan.executors.memory.Arena;
import org.longspan.executors.memory.Matrix;
import org.longspan.executors.memory.Precision;
import org.longspan.executors.model.ModelShape;
import org.longspan.executors.train.RankSetup;
import org.longspan.parallelism.collective.Communicator;
import org.longspan.parallelism.mesh.Mesh;
import org.longspan.parallelism.transport.InProcessTransport;
import org.longspan.parallelism.transport.LocalRanks;
import org.longspan.parallelism.transport.Transport;

/** Several ranks, each with its share of a checkpoint, read and write what one does. */
class TensorDecodingTest {
  private static final int TOKENS = 40;
  private static final String PROMPT = "A prompt of some words";
  private static final int VOCABULARY = new ByteTokenizer().vocabulary();
  private static final Duration TIME_LIMIT = Duration.ofSeconds(60);

  @TempDir private Path folder;

  private static RunConfiguration model(String latent, Precision precision) {
    return RunConfiguration.parse(
        "model: {width: 16, heads: 4, layers: 7, feed-forward: 21, window: 8, convolution: 4,"
            + " pattern: [lightning, latent, local, simple-gla, gla, gated-delta, latent], latent: "
            + latent
            + "}\nkernel: cpu\nprecision: "
            + precision.name().toLowerCase(Locale.ROOT),
        "test.yaml",
        Map.of());
  }

  /** Writes a model with weights as large as trained ones. */
  private Checkpoint write(RunConfiguration model) throws IOException {
    ModelShape shape = ModelShape.of(model, VOCABULARY);
    Checkpoints checkpoints = Checkpoints.of(new Configuration(), folder.toString());
    try (Transport alone = InProcessTransport.connect(1, TIME_LIMIT).get(0);
        RankSetup setup = new RankSetup(model, shape, new Mesh(1, 1, 1), alone, 1, 8, 8)) {
      Random random = new Random(3);
      for (Matrix values : setup.model().parameters().values()) {
        for (long row = 0; row < values.rows(); row++) {
          for (int column = 0; column < values.columns(); column++) {
            values.put(row, column, values.get(row, column) + 0.3 * random.nextGaussian());
          }
        }
      }
      SplitSummary split = new SplitSummary(1, 1, 1, 1, List.of());
      String tokenizer = new ByteTokenizer().name();
      SkippedInput skipped = new SkippedInput(0, 0, 0);
      Manifest data = new Manifest(1, tokenizer, VOCABULARY, 1, 1, split, null, skipped, "0");
      checkpoints.write(setup.model(), model, data, 1, 0);
    }
    return checkpoints.at(1);
  }

  /** What a rank has of a text's logits, one token after another, and of its cache. */
  private record Read(List<double[]> logits, CacheSize cache) {}

  private static List<Read> read(
      Checkpoint checkpoint, int ranks, CacheSplit split, LatentReading reading) {
    return LocalRanks.run(
        InProcessTransport.connect(ranks, TIME_LIMIT),
        transport -> {
          Precision precision = checkpoint.configuration().get(Options.PRECISION);
          TensorPlace place = new TensorPlace(transport.rank(), ranks);
          List<Integer> all = IntStream.range(0, ranks).boxed().toList();
          try (Arena arena = new Arena("of a rank", precision);
              Workers workers = new Workers(1);
              Communicator tensor = Communicator.over(transport, all, 1);
              Decoding decoding =
                  new Decoding(
                      checkpoint.shape(),
                      Numerics.of(precision),
                      checkpoint.readParameters(place, arena),
                      split,
                      workers,
                      tensor)) {
            double[][] logits = new double[TOKENS][VOCABULARY];
            Random random = new Random(2);
            for (double[] ofToken : logits) {
              Matrix found = decoding.step(random.nextInt(VOCABULARY), reading);
              for (int token = 0; token < VOCABULARY; token++) {
                ofToken[token] = found.get(0, token);
              }
            }
            return new Read(List.of(logits), decoding.cacheSize());
          } catch (IOException e) {
            throw new UncheckedIOException(e);
          }
        });
  }

  /** {@code ‖a − b‖ / ‖b‖}. */
  private static double relativeError(List<double[]> a, List<double[]> b) {
    double difference = 0;
    double norm = 0;
    for (int t = 0; t < b.size(); t++) {
      for (int token = 0; token < VOCABULARY; token++) {
        difference += Math.pow(a.get(t)[token] - b.get(t)[token], 2);
        norm += Math.pow(b.get(t)[token], 2);
      }
    }
    return Math.sqrt(difference / norm);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = ';',
      value = {
        "{rank: 8, rope: 4, query-rank: 7}; FORM; FORM",
        "{rank: 8, rope: 4, value: 5}; TOKENS; FORM",
        "{rank: 8, rope: 4, form: tpla, groups: 4}; FORM; FORM",
        "{rank: 16, rope: 4, form: tpla, groups: 8, norm: local}; FORM; FORM",
        "{rank: 8, rope: 4, form: tpla, groups: 4}; FORM; MLA",
        "{rank: 8, rope: 4, form: mlra, groups: 4}; FORM; FORM"
      })
  void shouldGiveTheLogitsOfOneRank(String latent, CacheSplit split, LatentReading reading)
      throws IOException {
    for (Precision precision : Precision.values()) {
      double limit =
          switch (precision) {
            case FLOAT -> 1e-5;
            case DOUBLE -> 1e-12;
          };
      Checkpoint checkpoint = write(model(latent, precision));
      List<double[]> expected = read(checkpoint, 1, CacheSplit.FORM, reading).get(0).logits();
      for (int ranks : new int[] {2, 4}) {
        List<Read> found = read(checkpoint, ranks, split, reading);
        assertThat(relativeError(found.get(0).logits(), expected)).isLessThan(limit);
        assertThat(found)
            .allSatisfy(
                rank -> assertThat(relativeError(rank.logits(), found.get(0).logits())).isZero());
      }
    }
  }

  /** Rows of the two latent mixers, in float: 4 bytes a number. */
  @ParameterizedTest
  @CsvSource(
      delimiter = ';',
      value = {
        "{rank: 8, rope: 4}; FORM; 96; 96",
        "{rank: 8, rope: 4}; TOKENS; 48; 24",
        "{rank: 8, rope: 4, form: tpla, groups: 4}; FORM; 64; 48",
        "{rank: 8, rope: 4, form: mlra, groups: 4}; FORM; 64; 48"
      })
  void shouldKeepItsShareOfTheCache(String latent, CacheSplit split, double ofTwo, double ofFour)
      throws IOException {
    Checkpoint checkpoint = write(model(latent, Precision.FLOAT));
    CacheSize alone = read(checkpoint, 1, split, LatentReading.FORM).get(0).cache();
    assertThat(alone.perToken()).isEqualTo(2 * (8 + 4) * 4);
    long rowsOfConvolutions = 7 * 4 * 16 * 4L;
    for (int ranks : new int[] {2, 4}) {
      assertThat(read(checkpoint, ranks, split, LatentReading.FORM))
          .allSatisfy(
              rank ->
                  assertThat(rank.cache())
                      .isEqualTo(
                          new CacheSize(
                              ranks == 2 ? ofTwo : ofFour,
                              (alone.constant() - rowsOfConvolutions) / ranks
                                  + rowsOfConvolutions)));
    }
  }

  private static Writing generate(String path, GeneratorOptions options) throws IOException {
    try (Generator generator = Generator.load(new Configuration(), path, options)) {
      return generator.generate(PROMPT, 60, 0, 1);
    }
  }

  private static GeneratorOptions ranks(int count, CacheSplit split) {
    return new GeneratorOptions(OptionalInt.of(count), split, Optional.empty());
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "{rank: 8, rope: 4}",
        "{rank: 8, rope: 4, form: tpla, groups: 4, prompts: mla}",
        "{rank: 8, rope: 4, form: mlra, groups: 4}"
      })
  void shouldWriteWhatOneRankWrites(String latent) throws IOException {
    String path = write(model(latent, Precision.FLOAT)).path();
    Writing alone = generate(path, GeneratorOptions.ONE_RANK);
    assertThat(alone.tokens()).isEqualTo(60);
    for (int ranks : new int[] {2, 4}) {
      assertThat(generate(path, ranks(ranks, CacheSplit.FORM)).text()).isEqualTo(alone.text());
      if (!latent.contains("form")) {
        assertThat(generate(path, ranks(ranks, CacheSplit.TOKENS)).text()).isEqualTo(alone.text());
      }
    }
  }

  @Test
  void shouldWriteOnAsManyRanksAsTrainedUnlessAskedOtherwise() throws IOException {
    RunConfiguration trainedOnTwo =
        model("{rank: 8, rope: 4}", Precision.FLOAT).with(Options.MESH_TENSOR, 2);
    String path = write(trainedOnTwo).path();
    GeneratorOptions asTrained =
        new GeneratorOptions(OptionalInt.empty(), CacheSplit.TOKENS, Optional.empty());
    try (Generator two = Generator.load(new Configuration(), path, asTrained);
        Generator four = Generator.load(new Configuration(), path, ranks(4, CacheSplit.TOKENS))) {
      assertThat(two.tensorRanks()).isEqualTo(2);
      assertThat(two.cacheSize().perToken()).isEqualTo(48);
      assertThat(four.tensorRanks()).isEqualTo(4);
      assertThat(four.cacheSize().perToken()).isEqualTo(24);
    }
  }

  /** The likeliest tokens after a prompt that is read as MLA, one rank, written as {@code then}. */
  private static String writtenBySteps(Checkpoint checkpoint, LatentReading then) {
    ByteTokenizer tokenizer = new ByteTokenizer();
    int[] prompt = tokenizer.encodeDocument(PROMPT);
    try (Transport alone = InProcessTransport.connect(1, TIME_LIMIT).get(0);
        Arena arena = new Arena("of a rank", Precision.FLOAT);
        Workers workers = new Workers(1);
        Communicator tensor = Communicator.over(alone, List.of(0), 1);
        Decoding decoding =
            new Decoding(
                checkpoint.shape(),
                Numerics.of(Precision.FLOAT),
                checkpoint.readParameters(new TensorPlace(0, 1), arena),
                CacheSplit.FORM,
                workers,
                tensor)) {
      Matrix logits = null;
      // Its last token ends the document, which goes on here.
      for (int i = 0; i < prompt.length - 1; i++) {
        logits = decoding.step(prompt[i], LatentReading.MLA);
      }
      List<Integer> written = new ArrayList<>();
      while (written.size() < 60) {
        Matrix found = logits;
        int likeliest =
            IntStream.range(0, VOCABULARY)
                .boxed()
                .max(Comparator.comparingDouble(token -> found.get(0, token)))
                .orElseThrow();
        written.add(likeliest);
        logits = decoding.step(likeliest, then);
      }
      return tokenizer.decode(written.stream().mapToInt(Integer::intValue).toArray());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  @Test
  void shouldReadThePromptAsMlaAndWriteInTheModelsForm() throws IOException {
    String latent = "{rank: 8, rope: 4, form: tpla, groups: 4, prompts: mla}";
    Checkpoint checkpoint = write(model(latent, Precision.FLOAT));
    String text = generate(checkpoint.path(), GeneratorOptions.ONE_RANK).text();
    assertThat(text)
        .isEqualTo(writtenBySteps(checkpoint, LatentReading.FORM))
        .isNotEqualTo(writtenBySteps(checkpoint, LatentReading.MLA));
  }

  @Test
  void shouldReadPromptsAsTheCheckpointSaysUnlessAskedOtherwise() throws IOException {
    String latent = "{rank: 8, rope: 4, form: tpla, groups: 4, prompts: mla}";
    String path = write(model(latent, Precision.FLOAT)).path();
    String asSaid = generate(path, GeneratorOptions.ONE_RANK).text();
    assertThat(
            generate(
                    path,
                    new GeneratorOptions(
                        OptionalInt.of(1), CacheSplit.FORM, Optional.of(LatentReading.MLA)))
                .text())
        .isEqualTo(asSaid);
    assertThat(
            generate(
                    path,
                    new GeneratorOptions(
                        OptionalInt.of(1), CacheSplit.FORM, Optional.of(LatentReading.FORM)))
                .text())
        .isNotEqualTo(asSaid);
  }

  @Test
  void shouldRefuseWhatAModelHasNot() throws IOException {
    String path = write(model("{rank: 8, rope: 4, form: mlra, groups: 2}", Precision.FLOAT)).path();
    assertThatThrownBy(() -> generate(path, ranks(2, CacheSplit.TOKENS)))
        .isInstanceOf(InvalidInputException.class)
        .hasMessage(
            "A cache split by tokens is for latent mixers of form mla, and this model has mlra;"
                + " use --cache form.");
    assertThatThrownBy(
            () ->
                generate(
                    path,
                    new GeneratorOptions(
                        OptionalInt.of(1), CacheSplit.FORM, Optional.of(LatentReading.MLA))))
        .isInstanceOf(InvalidInputException.class)
        .hasMessage(
            "Prompts are read in the form mla by latent mixers of form mla or tpla, and this model"
                + " has mlra; use --prompts form.");
    assertThatThrownBy(() -> generate(path, ranks(4, CacheSplit.FORM)))
        .isInstanceOf(InvalidInputException.class)
        .hasMessage(
            "4 tensor ranks cannot share model.latent.groups of 2 equally; 1 or 2 would do for"
                + " --tensor-ranks.");
  }
}
