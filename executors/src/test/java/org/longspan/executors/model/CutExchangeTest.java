package org.longspan.executors.model;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.longspan.executors.configuration.RunConfiguration;
import org.longspan.executors.layer.SliceInput;
import org.longspan.executors.train.RankSetup;

/** What {@code exchange.cut} promises: a rank works as if nothing lay before its slice. */
class CutExchangeTest {
  private static final int VOCABULARY = 13;
  private static final int TOKENS = 96;
  private static final int BLOCK = 32;
  private static final int[] ONE_DOCUMENT = {0};
  private static final int[] DOCUMENT_FOR_EACH_SLICE = {0, 32, 64};
  private static final String LINEAR = "[lightning, simple-gla, gla, gated-delta]";
  private static final String ALL = "[lightning, local, simple-gla, gla, gated-delta]";

  private static RunConfiguration model(String pattern, boolean cut, String recompute) {
    return Ranks.configuration(
        "model.width",
        "16",
        "model.heads",
        "2",
        "model.layers",
        "5",
        "model.feed-forward",
        "12",
        "model.pattern",
        pattern,
        "model.window",
        "40",
        "model.convolution",
        "4",
        "precision",
        "double",
        "kernel",
        "cpu",
        "train.recompute",
        recompute,
        "exchange.cut",
        Boolean.toString(cut));
  }

  /** Loss and gradients of one rank's slice. */
  private record Part(double loss, Map<String, double[]> gradients) {}

  /** Of each of three ranks; only the targets of the rank at {@code place} count. */
  private static List<Part> parts(
      RunConfiguration configuration, int[] sequence, int[] documents, int place) {
    Ranks ranks = new Ranks(configuration, VOCABULARY, BLOCK);
    return ranks.run(3, TOKENS, setup -> part(ranks, setup, sequence, documents, place));
  }

  private static Part part(
      Ranks ranks, RankSetup setup, int[] sequence, int[] documents, int place) {
    Ranks.randomize(setup.model());
    SliceInput slice = ranks.slice(setup, sequence, documents);
    int[] targets = slice.targets().clone();
    int own = setup.rank().sequence();
    if (own != place) {
      Arrays.fill(targets, -1);
    }
    // The target of a slice's last token is another document's first one in the one case only.
    targets[targets.length - 1] = -1;
    double loss =
        setup
            .model()
            .lossAndGradient(
                new SliceInput(slice.tokens(), targets, slice.documents(), slice.slices(), own));
    Map<String, double[]> gradients = new java.util.LinkedHashMap<>();
    setup.model().gradients().forEach((name, values) -> gradients.put(name, Ranks.copy(values)));
    return new Part(loss, gradients);
  }

  @ParameterizedTest
  @ValueSource(strings = {"false", "true"})
  void shouldDoAsIfADocumentBeganWithEachSlice(String recompute) {
    int[] sequence = Ranks.sequence(TOKENS, VOCABULARY, 1);
    for (int place = 0; place < 3; place++) {
      Part cut = parts(model(LINEAR, true, recompute), sequence, ONE_DOCUMENT, place).get(place);
      Part whole =
          parts(model(LINEAR, false, recompute), sequence, DOCUMENT_FOR_EACH_SLICE, place)
              .get(place);
      assertThat(Math.abs(cut.loss() - whole.loss()) / whole.loss()).isLessThan(1e-12);
      whole
          .gradients()
          .forEach(
              (name, expected) ->
                  assertThat(Ranks.relativeError(cut.gradients().get(name), expected))
                      .as("gradient of %s", name)
                      .isLessThan(1e-12));
    }
  }

  @Test
  void shouldSeeNothingOfOtherSlices() {
    int[] sequence = Ranks.sequence(TOKENS, VOCABULARY, 2);
    int[] changed = sequence.clone();
    IntStream.range(0, 2 * BLOCK).forEach(t -> changed[t] = (changed[t] + 1) % VOCABULARY);

    assertThat(lastLoss(true, changed)).isEqualTo(lastLoss(true, sequence)).isPositive();
    assertThat(lastLoss(false, changed)).isNotEqualTo(lastLoss(false, sequence));
  }

  private static double lastLoss(boolean cut, int[] sequence) {
    return parts(model(ALL, cut, "false"), sequence, ONE_DOCUMENT, 2).get(2).loss();
  }

  @ParameterizedTest
  @ValueSource(strings = {"[lightning]", "[local]", "[simple-gla]", "[gla]", "[gated-delta]"})
  void shouldTakeNoGradientFromOtherSlices(String pattern) {
    int[] sequence = Ranks.sequence(TOKENS, VOCABULARY, 3);
    for (int place = 0; place < 2; place++) {
      assertThat(parts(model(pattern, true, "false"), sequence, ONE_DOCUMENT, 2).get(place))
          .satisfies(part -> assertThat(norm(part)).isZero());
      assertThat(parts(model(pattern, false, "false"), sequence, ONE_DOCUMENT, 2).get(place))
          .satisfies(part -> assertThat(norm(part)).isPositive());
    }
  }

  private static double norm(Part part) {
    return part.gradients().values().stream().flatMapToDouble(Arrays::stream).map(Math::abs).sum();
  }
}
