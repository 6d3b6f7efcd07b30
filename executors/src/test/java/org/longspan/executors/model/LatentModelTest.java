package org.longspan.executors.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.FieldSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.longspan.datapipeline.InvalidInputException;
import org.longspan.executors.configuration.RunConfiguration;
import org.longspan.executors.layer.SliceInput;
import org.longspan.executors.memory.Matrix;
import org.longspan.parallelism.mesh.Mesh;

/** Models with latent mixers: gradients by finite differences, and the same on every mesh. */
class LatentModelTest {
  private static final int VOCABULARY = 11;
  private static final int BLOCK = 16;
  private static final double STEP = 1e-4;

  private static RunConfiguration model(String latent, String... otherwise) {
    List<String> pairs =
        new ArrayList<>(
            List.of(
                "model.width", "8",
                "model.heads", "2",
                "model.layers", "2",
                "model.feed-forward", "6",
                "model.pattern", "[lightning, latent]",
                "model.latent.rank", "8",
                "model.latent.nope", "3",
                "model.latent.rope", "2",
                "model.latent.value", "5",
                "kernel", "cpu",
                "precision", "double"));
    Matcher words = Pattern.compile("([a-z-]+)=(\\w+)").matcher(latent);
    while (words.find()) {
      pairs.addAll(List.of("model.latent." + words.group(1), words.group(2)));
    }
    pairs.addAll(List.of(otherwise));
    return Ranks.configuration(pairs.toArray(String[]::new));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "form=mla query-rank=6",
        "form=mla",
        "form=tpla groups=2 norm=exact query-rank=6",
        "form=tpla groups=4 norm=local",
        "form=mlra groups=2 query-rank=6"
      })
  void shouldMatchFiniteDifferencesOfEveryParameter(String latent) {
    Ranks ranks = new Ranks(model(latent), VOCABULARY, BLOCK);
    int[] sequence = Ranks.sequence(40, VOCABULARY, 3);
    ranks.run(
        1,
        sequence.length,
        setup -> {
          LanguageModel language = setup.model();
          Ranks.randomize(language);
          SliceInput input = ranks.slice(setup, sequence, new int[] {0, 11});
          language.lossAndGradient(input);
          language
              .gradients()
              .forEach(
                  (name, gradient) -> {
                    double[] found = Ranks.copy(gradient);
                    if (name.endsWith("norm-estimates")) {
                      assertThat(found).containsOnly(0);
                    } else {
                      double[] expected = differences(language, input, name);
                      assertThat(Ranks.relativeError(found, expected)).as(name).isLessThan(1e-6);
                    }
                  });
          return null;
        });
  }

  private static double[] differences(LanguageModel language, SliceInput input, String name) {
    Matrix values = language.parameters().get(name);
    double[] differences = new double[(int) values.size()];
    for (int place = 0; place < differences.length; place++) {
      int row = place / values.columns();
      int column = place % values.columns();
      double before = values.get(row, column);
      double[] losses = new double[5];
      for (int i = 0; i < losses.length; i++) {
        values.put(row, column, before + (i - 2) * STEP);
        losses[i] = i == 2 ? 0 : language.loss(input);
      }
      values.put(row, column, before);
      differences[place] = (8 * (losses[3] - losses[1]) - losses[4] + losses[0]) / (12 * STEP);
    }
    return differences;
  }

  private static void compare(
      RunConfiguration model, Mesh mesh, int tokens, String documents, double limit) {
    int[] starts =
        Pattern.compile(" ").splitAsStream(documents).mapToInt(Integer::parseInt).toArray();
    int[] sequence = Ranks.sequence(tokens, VOCABULARY, tokens);
    Ranks ranks = new Ranks(model, VOCABULARY, BLOCK);
    ranks
        .lossAndGradients(mesh, sequence, starts)
        .assertClose(ranks.lossAndGradients(new Mesh(1, 1, 1), sequence, starts), limit);
  }

  private static final String[] EIGHT = {
    "model.width", "24", "model.heads", "8", "model.feed-forward", "11", "model.convolution", "3"
  };

  // With 37 tokens the fourth sequence rank has none, with 20 the third neither.
  @ParameterizedTest
  @CsvSource({
    "1, 2, 131, 0 70",
    "1, 4, 131, 0 70",
    "1, 8, 131, 0 70",
    "2, 1, 131, 0 16 40 41 97",
    "2, 2, 131, 0 16 40 41 97",
    "2, 4, 131, 0 16 40 41 97",
    "2, 8, 131, 0 70",
    "3, 1, 131, 0 70",
    "7, 1, 131, 0 16 40 41 97",
    "16, 1, 300, 0 70 131",
    "4, 1, 128, 0",
    "4, 2, 128, 0",
    "4, 4, 131, 0 70",
    "4, 8, 131, 0 70",
    "4, 4, 37, 0 5",
    "4, 8, 20, 0"
  })
  void shouldNotDependOnTheMesh(int sequence, int tensor, int tokens, String documents) {
    for (String latent :
        List.of(
            "form=mla query-rank=6",
            "form=tpla groups=8 norm=exact query-rank=6",
            "form=tpla groups=8 norm=local",
            "form=mlra groups=8")) {
      compare(model(latent, EIGHT), new Mesh(1, sequence, tensor), tokens, documents, 1e-12);
    }
  }

  // A norm over a group of one column gives its sign, which rounding decides near zero: local norms
  // have groups of eight here.
  @ParameterizedTest
  @CsvSource({
    "form=mla query-rank=6",
    "form=tpla groups=8",
    "form=tpla groups=8 norm=local rank=64",
    "form=mlra groups=8 rank=64"
  })
  void shouldNotDependOnTheMeshInFloat(String latent) {
    List<String> otherwise = new ArrayList<>(List.of(EIGHT));
    otherwise.addAll(List.of("precision", "float"));
    RunConfiguration model = model(latent, otherwise.toArray(String[]::new));
    for (int sequence : new int[] {1, 2, 4}) {
      for (int tensor : new int[] {2, 4, 8}) {
        compare(model, new Mesh(1, sequence, tensor), 131, "0 70", 1e-5);
      }
      if (sequence > 1) {
        compare(model, new Mesh(1, sequence, 1), 131, "0 70", 1e-5);
      }
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"form=mla query-rank=6", "form=tpla groups=8 norm=exact"})
  void shouldNotDependOnWhatLayersKeep(String latent) {
    List<String> otherwise = new ArrayList<>(List.of(EIGHT));
    otherwise.addAll(List.of("train.recompute", "true", "model.pattern", "[latent]"));
    RunConfiguration model = model(latent, otherwise.toArray(String[]::new));
    compare(model, new Mesh(1, 2, 2), 131, "0 70", 1e-12);
    int[] sequence = Ranks.sequence(131, VOCABULARY, 131);
    int[] documents = {0, 70};
    Mesh mesh = new Mesh(1, 2, 2);
    new Ranks(model, VOCABULARY, BLOCK)
        .lossAndGradients(mesh, sequence, documents)
        .assertClose(
            new Ranks(model(latent, withPattern("[latent]")), VOCABULARY, BLOCK)
                .lossAndGradients(mesh, sequence, documents),
            1e-15);
  }

  private static String[] withPattern(String pattern) {
    List<String> otherwise = new ArrayList<>(List.of(EIGHT));
    otherwise.addAll(List.of("model.pattern", pattern));
    return otherwise.toArray(String[]::new);
  }

  @ParameterizedTest
  @CsvSource({
    "form=mla query-rank=6, 1",
    "form=tpla groups=8 norm=exact, 2",
    "form=mlra groups=8, 1"
  })
  void shouldBeTheSameToTheLastBitOnAnySequenceRanks(String latent, int tensor) {
    List<String> otherwise = new ArrayList<>(List.of(EIGHT));
    otherwise.addAll(List.of("deterministic", "true", "precision", "float"));
    Ranks ranks = new Ranks(model(latent, otherwise.toArray(String[]::new)), VOCABULARY, BLOCK);
    int[] sequence = Ranks.sequence(131, VOCABULARY, 131);
    int[] documents = {0, 16, 40, 41, 97};
    Ranks.Outcome one = ranks.train(new Mesh(1, 1, tensor), sequence, documents).get(0);
    for (int places : new int[] {2, 3, 4}) {
      assertThat(ranks.train(new Mesh(1, places, tensor), sequence, documents))
          .allSatisfy(
              rank -> {
                assertThat(rank.loss()).isEqualTo(one.loss());
                one.numbers()
                    .forEach(
                        (name, values) ->
                            assertThat(rank.numbers().get(name)).as(name).containsExactly(values));
              });
    }
  }

  @Test
  void shouldTrainEveryRankAsOneRank() {
    RunConfiguration model = model("form=tpla groups=8 norm=local query-rank=6", EIGHT);
    int[] sequence = Ranks.sequence(131, VOCABULARY, 131);
    int[] documents = {0, 70};
    Ranks ranks = new Ranks(model, VOCABULARY, BLOCK);
    Ranks.Outcome one = ranks.train(1, sequence, documents).get(0);
    assertThat(ranks.train(new Mesh(1, 2, 4), sequence, documents))
        .hasSize(2)
        .allSatisfy(rank -> rank.assertClose(one, 1e-10));
  }

  static final List<String> FORMS =
      List.of(
          "form=mla query-rank=6",
          "form=tpla groups=2 norm=exact query-rank=6 rank=16",
          "form=tpla groups=2 norm=local rank=16",
          "form=mlra groups=2 rank=16");

  /** Data, sequence and tensor ranks at once, three linear mixers to one that is latent. */
  @ParameterizedTest
  @FieldSource("FORMS")
  void shouldTakeTheSameStepOnAMeshOfAllKindsOfRanks(String latent) {
    compareStep(latent, "double", Ranks::randomize, 1e-12);
  }

  /** As a model is at first: through four blocks larger weights at random magnify the rounding. */
  @ParameterizedTest
  @FieldSource("FORMS")
  void shouldTakeTheSameStepOnAMeshOfAllKindsOfRanksInFloat(String latent) {
    compareStep(latent, "float", model -> {}, 1e-5);
  }

  private static void compareStep(
      String latent, String precision, Consumer<LanguageModel> weights, double limit) {
    List<String> otherwise = new ArrayList<>(List.of(EIGHT));
    otherwise.addAll(
        List.of(
            "model.layers", "4",
            "model.pattern", "[lightning, lightning, lightning, latent]",
            "precision", precision));
    Ranks ranks = new Ranks(model(latent, otherwise.toArray(String[]::new)), VOCABULARY, BLOCK);
    // Of different lengths: a mean over ranks is then another one than that over tokens.
    List<int[]> sequences =
        List.of(
            Ranks.sequence(131, VOCABULARY, 1),
            Ranks.sequence(90, VOCABULARY, 2),
            Ranks.sequence(120, VOCABULARY, 3),
            Ranks.sequence(75, VOCABULARY, 4));
    int[] documents = {0, 16, 70};
    Ranks.Outcome one = ranks.step(new Mesh(1, 1, 1), sequences, documents, weights).get(0);
    List<Ranks.Outcome> found = ranks.step(new Mesh(2, 2, 2), sequences, documents, weights);
    assertThat(found).hasSize(4);
    found.forEach(slice -> slice.assertClose(one, limit));
  }

  @Test
  void shouldLearnNothingOfOtherSlicesWhereTheExchangeIsCut() {
    String[] cut = {"exchange.cut", "true", "model.pattern", "[latent]"};
    RunConfiguration model = model("form=mla", cut);
    int[] sequence = Ranks.sequence(64, VOCABULARY, 1);
    Ranks ranks = new Ranks(model, VOCABULARY, BLOCK);
    // As if a document started with each slice, but for the targets.
    double alone = ranks.lossAndGradients(4, sequence, new int[] {0}).loss();
    sequence[3] = (sequence[3] + 1) % VOCABULARY;
    double changed = ranks.lossAndGradients(4, sequence, new int[] {0}).loss();
    assertThat(changed).isNotEqualTo(alone);
    List<Long> received =
        ranks.run(
            4,
            64,
            setup -> {
              long before = setup.environment().sequence().receivedBytes();
              setup.model().lossAndGradient(ranks.slice(setup, sequence, new int[] {0}));
              return setup.environment().sequence().receivedBytes() - before;
            });
    assertThat(received).containsOnly(0L);
  }

  @ParameterizedTest
  @CsvSource({
    "model.latent.groups, 2, 'model.latent.form is mla, which has one group'",
    "model.latent.rope, 3, '4 would do'",
    "mesh.tensor, 4, '1 or 2 would do'"
  })
  void shouldRefuseWhatDoesNotGoTogether(String key, String value, String words) {
    assertThatThrownBy(() -> model("form=mla", key, value))
        .isInstanceOf(InvalidInputException.class)
        .hasMessageContaining(words);
  }

  @Test
  void shouldNotNeedHeadsThatDivideWhereGroupsAreShared() {
    String[] three = {"model.width", "9", "model.heads", "3", "model.pattern", "[latent]"};
    compare(model("form=tpla groups=4", three), new Mesh(1, 1, 4), 37, "0 9", 1e-12);
    assertThatThrownBy(
            () -> model("form=tpla groups=2", "model.pattern", "[latent]", "mesh.tensor", "4"))
        .isInstanceOf(InvalidInputException.class)
        .hasMessageContaining("model.latent.groups of 2");
  }

  @Test
  void shouldRefuseToReadPromptsOfMlraAsMla() {
    assertThatThrownBy(() -> model("form=mlra groups=2", "model.latent.prompts", "mla"))
        .isInstanceOf(InvalidInputException.class)
        .hasMessageContaining("which cannot be read as mla; set model.latent.prompts to form.");
  }
}
