package org.longspan.executors.model;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.longspan.executors.configuration.RunConfiguration;

/** Loss and gradients of every parameter do not depend on how many ranks a sequence is cut over. */
class SequenceParallelTest {
  private static final int VOCABULARY = 13;

  private static RunConfiguration model(String precision) {
    return Ranks.configuration(
        "model.width",
        "16",
        "model.heads",
        "2",
        "model.layers",
        "3",
        "model.feed-forward",
        "12",
        "model.pattern",
        "[lightning, local, lightning]",
        "model.window",
        "40",
        "model.convolution",
        "4",
        "precision",
        precision,
        "kernel",
        "cpu");
  }

  private static void compare(
      String precision, int ranks, int tokens, String documents, double limit) {
    int[] starts =
        java.util.Arrays.stream(documents.split(" ")).mapToInt(Integer::parseInt).toArray();
    int[] sequence = Ranks.sequence(tokens, VOCABULARY, tokens);
    Ranks cut = new Ranks(model(precision), VOCABULARY, 16);
    Ranks.Outcome one = cut.lossAndGradients(1, sequence, starts);
    Ranks.Outcome many = cut.lossAndGradients(ranks, sequence, starts);
    assertThat(Math.abs(many.loss() - one.loss()) / one.loss()).isLessThan(limit);
    one.gradients()
        .forEach(
            (name, expected) ->
                assertThat(Ranks.relativeError(many.gradients().get(name), expected))
                    .as("gradient of %s at %s ranks", name, ranks)
                    .isLessThan(limit));
  }

  // The window of 40 reaches over several slices of 16; 7 and 16 ranks outnumber the blocks of the
  // short sequences.
  @ParameterizedTest
  @CsvSource({
    "2, 128, 0",
    "4, 131, 0",
    "3, 100, 0 33",
    "4, 130, 0 16 40 41 97",
    "7, 50, 0 5",
    "16, 37, 0",
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
}
