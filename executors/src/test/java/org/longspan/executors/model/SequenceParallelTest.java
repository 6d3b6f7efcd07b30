package org.longspan.executors.model;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.UnaryOperator;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.longspan.executors.configuration.RunConfiguration;
import org.longspan.executors.layer.SliceInput;

/** Loss and gradients of every parameter do not depend on how many ranks a sequence is cut over. */
class SequenceParallelTest {
  private static final int VOCABULARY = 13;

  private static RunConfiguration model(String precision, String... otherwise) {
    List<String> pairs =
        new ArrayList<>(
            List.of(
                "model.width", "16",
                "model.heads", "2",
                "model.layers", "5",
                "model.feed-forward", "12",
                "model.pattern", "[lightning, local, simple-gla, gla, gated-delta]",
                "model.window", "40",
                "model.convolution", "4",
                "kernel", "cpu",
                "precision", precision));
    pairs.addAll(List.of(otherwise));
    return Ranks.configuration(pairs.toArray(String[]::new));
  }

  private static void compare(
      String precision,
      int ranks,
      int tokens,
      String documents,
      double limit,
      String... otherwise) {
    int[] starts =
        java.util.Arrays.stream(documents.split(" ")).mapToInt(Integer::parseInt).toArray();
    int[] sequence = Ranks.sequence(tokens, VOCABULARY, tokens);
    Ranks cut = new Ranks(model(precision, otherwise), VOCABULARY, 16);
    Ranks.Outcome one =
        new Ranks(model(precision), VOCABULARY, 16).lossAndGradients(1, sequence, starts);
    Ranks.Outcome many = cut.lossAndGradients(ranks, sequence, starts);
    many.assertClose(one, limit);
  }

  // The window of 40 reaches over several slices of 16; 7 and 16 ranks outnumber the blocks of the
  // short sequences.
  @ParameterizedTest
  @CsvSource({
    "1, 131, 0 70",
    "2, 128, 0",
    "2, 131, 0 70",
    "3, 131, 0",
    "4, 131, 0",
    "3, 100, 0 33",
    "4, 130, 0 16 40 41 97",
    "7, 50, 0 5",
    "7, 131, 0 70",
    "16, 37, 0",
    "16, 263, 0 100",
    "5, 160, 0 159",
    "8, 128, 0 64"
  })
  void shouldNotDependOnTheRanksInDouble(int ranks, int tokens, String documents) {
    compare("double", ranks, tokens, documents, 1e-12);
  }

  @ParameterizedTest
  @CsvSource({"2, 128, 0", "4, 131, 0 70", "7, 50, 0"})
  void shouldNotDependOnTheRanksInFloat(int ranks, int tokens, String documents) {
    compare("float", ranks, tokens, documents, 1e-5);
  }

  @ParameterizedTest
  @ValueSource(doubles = {16, 256})
  void shouldNotDependOnTheRanksUnderWeakGates(double weakness) {
    int[] sequence = Ranks.sequence(131, VOCABULARY, 131);
    int[] documents = {0, 100};
    Ranks cut = new Ranks(model("double"), VOCABULARY, 16, weakness, UnaryOperator.identity());
    Ranks.Outcome one = cut.lossAndGradients(1, sequence, documents);
    for (int ranks : new int[] {2, 3, 4, 7, 16}) {
      cut.lossAndGradients(ranks, sequence, documents).assertClose(one, 1e-12);
    }
  }

  /** Adam divides gradients by their size, which makes much of what is small. */
  @ParameterizedTest
  @ValueSource(ints = {2, 3, 4, 7, 16})
  void shouldTrainEveryRankAsOneRank(int ranks) {
    int[] sequence = Ranks.sequence(131, VOCABULARY, 131);
    int[] documents = {0, 70};
    Ranks cut = new Ranks(model("double"), VOCABULARY, 16);
    Ranks.Outcome one = cut.train(1, sequence, documents).get(0);
    assertThat(cut.train(ranks, sequence, documents))
        .hasSize(ranks)
        .allSatisfy(rank -> rank.assertClose(one, 1e-10));
  }

  @ParameterizedTest
  @ValueSource(strings = {"chain", "log", "replay", "lasp1", "lasp2"})
  void shouldNotDependOnHowTheStateTravels(String scan) {
    compare("double", 4, 131, "0 70", 1e-12, "scan.kind", scan);
    compare("double", 7, 50, "0", 1e-12, "scan.kind", scan);
  }

  @ParameterizedTest
  @CsvSource({"1, 128, 0", "3, 100, 0 33", "16, 37, 0"})
  void shouldNotDependOnWhatLayersKeep(int ranks, int tokens, String documents) {
    compare("double", ranks, tokens, documents, 1e-12, "train.recompute", "true");
  }

  @ParameterizedTest
  @CsvSource({"128, 0", "131, 0 70", "20, 0 5"})
  void shouldNotDependOnWhetherSumsGoBlockByBlock(int tokens, String documents) {
    // One rank: where sums go block by block, every rank has the gradient of the whole sequence.
    compare("double", 1, tokens, documents, 1e-12, "deterministic", "true");
  }

  // A document over three ranks, ranks that hold the middle of one only, and hundreds in a slice.
  @Test
  void shouldStopAtDocumentsWhereverTheyLie() {
    compare("double", 4, 256, "0 60 190", 1e-12);
    compare("double", 8, 256, "0 1 255", 1e-12);
    StringBuilder many = new StringBuilder("0");
    for (int start = 1; start < 600; start += 2) {
      many.append(' ').append(start);
    }
    compare("double", 2, 640, many.toString(), 1e-12);
  }

  /**
   * Inside a chunk and beside the edges of slices; over three ranks and more; so that ranks hold
   * the middle of one only; hundreds in a slice.
   */
  @ParameterizedTest
  @CsvSource({"3, 0 5", "3, 0 48 96", "3, 0 47 49 95 97", "4, 0 20 110", "7, 0 1 130", "2, many"})
  void shouldGiveTheLossesAndGradientsOfItsDocumentsAlone(int ranks, String starts) {
    int[] documents =
        starts.equals("many")
            ? IntStream.range(0, 300).map(i -> 2 * i).toArray()
            : java.util.Arrays.stream(starts.split(" ")).mapToInt(Integer::parseInt).toArray();
    int[] sequence = Ranks.sequence(starts.equals("many") ? 640 : 131, VOCABULARY, 8);
    Ranks cut = new Ranks(model("double"), VOCABULARY, 16);
    Ranks.Outcome packed = cut.lossAndGradients(ranks, sequence, documents);
    // Documents of two tokens are of a few kinds, whose losses and gradients are counted.
    Map<List<Integer>, Integer> alone = new LinkedHashMap<>();
    for (int document = 0; document < documents.length; document++) {
      int to = document + 1 < documents.length ? documents[document + 1] : sequence.length;
      alone.merge(
          IntStream.range(documents[document], to).mapToObj(t -> sequence[t]).toList(),
          1,
          Integer::sum);
    }
    double loss = 0;
    Map<String, double[]> gradients = new LinkedHashMap<>();
    for (Map.Entry<List<Integer>, Integer> document : alone.entrySet()) {
      int[] tokens = document.getKey().stream().mapToInt(Integer::intValue).toArray();
      Ranks.Outcome outcome = cut.lossAndGradients(1, tokens, new int[] {0});
      loss += document.getValue() * outcome.loss();
      outcome
          .numbers()
          .forEach(
              (name, values) ->
                  gradients.merge(
                      name,
                      java.util.Arrays.stream(values).map(x -> x * document.getValue()).toArray(),
                      (a, b) ->
                          IntStream.range(0, a.length).mapToDouble(i -> a[i] + b[i]).toArray()));
    }
    // Rotary positions count from the start of what a document is packed into.
    packed.assertClose(new Ranks.Outcome(loss, gradients), 1e-11);
  }

  @Test
  void shouldNotLetADocumentSeeAnother() {
    int[] documents = {0, 37, 90};
    int[] sequence = Ranks.sequence(128, VOCABULARY, 7);
    int[] changed = sequence.clone();
    for (int token = 37; token < 90; token++) {
      changed[token] = (changed[token] + 1) % VOCABULARY;
    }
    Ranks cut = new Ranks(model("double"), VOCABULARY, 16);
    double[] losses = documentLosses(cut, sequence, documents);
    double[] otherLosses = documentLosses(cut, changed, documents);
    assertThat(otherLosses[0]).isEqualTo(losses[0]);
    assertThat(otherLosses[1]).isNotEqualTo(losses[1]);
    assertThat(otherLosses[2]).isEqualTo(losses[2]);
  }

  /** The loss of each document, on three ranks: those of all tokens but its own do not count. */
  private static double[] documentLosses(Ranks cut, int[] sequence, int[] documents) {
    double[] losses = new double[documents.length];
    for (int document = 0; document < documents.length; document++) {
      int from = documents[document];
      int to = document + 1 < documents.length ? documents[document + 1] : sequence.length;
      losses[document] =
          cut
              .run(
                  3,
                  sequence.length,
                  setup -> {
                    Ranks.randomize(setup.model());
                    return setup
                        .model()
                        .loss(only(cut.slice(setup, sequence, documents), from, to));
                  })
              .stream()
              .mapToDouble(Double::doubleValue)
              .sum();
    }
    return losses;
  }

  private static SliceInput only(SliceInput slice, long from, long to) {
    int[] targets = slice.targets().clone();
    for (int t = 0; t < targets.length; t++) {
      long position = slice.firstPosition() + t;
      if (position < from || position >= to) {
        targets[t] = -1;
      }
    }
    return Ranks.changed(slice, targets, slice.documents());
  }
}
