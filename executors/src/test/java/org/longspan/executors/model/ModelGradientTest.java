package org.longspan.executors.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeFalse;

import java.util.function.DoubleUnaryOperator;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.longspan.executors.configuration.RunConfiguration;
import org.longspan.executors.layer.SliceInput;
import org.longspan.executors.memory.Matrix;
import org.longspan.executors.opencl.OpenClDevices;

/** Every parameter's gradient against central differences, in double. */
class ModelGradientTest {
  private static final int VOCABULARY = 11;
  private static final double STEP = 1e-5;

  private static RunConfiguration model(String pattern) {
    return Ranks.configuration(
        "model.width",
        "12",
        "model.heads",
        "2",
        "model.layers",
        "2",
        "model.feed-forward",
        "10",
        "model.pattern",
        pattern,
        "model.window",
        "5",
        "model.convolution",
        "3",
        "precision",
        "double",
        "kernel",
        "cpu");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "[lightning]",
        "[local]",
        "[lightning, local]",
        "[simple-gla]",
        "[gla]",
        "[gated-delta]"
      })
  void shouldMatchFiniteDifferencesOfEveryParameter(String pattern) {
    Ranks ranks = new Ranks(model(pattern), VOCABULARY, 16);
    int[] sequence = Ranks.sequence(75, VOCABULARY, 3);
    int[] documents = {0, 20, 21, 64};
    ranks.run(
        1,
        sequence.length,
        setup -> {
          LanguageModel language = setup.model();
          Ranks.randomize(language);
          SliceInput input = ranks.slice(setup, sequence, documents);
          language.lossAndGradient(input);
          language
              .gradients()
              .forEach(
                  (name, gradient) -> {
                    Matrix values = language.parameters().get(name);
                    double[] found = Ranks.copy(gradient);
                    double[] expected = new double[found.length];
                    for (int i = 0; i < found.length; i++) {
                      int place = i;
                      DoubleUnaryOperator moved =
                          offset -> moved(language, input, values, place, offset);
                      // Of fourth order: keys of length one bend too much for two points.
                      expected[i] =
                          (8 * (moved.applyAsDouble(STEP) - moved.applyAsDouble(-STEP))
                                  - moved.applyAsDouble(2 * STEP)
                                  + moved.applyAsDouble(-2 * STEP))
                              / (12 * STEP);
                    }
                    assertThat(Ranks.relativeError(found, expected))
                        .as("gradient of %s", name)
                        .isLessThan(1e-6);
                  });
          return null;
        });
  }

  /** The loss with element {@code place} of a parameter moved by {@code offset}. */
  private static double moved(
      LanguageModel language, SliceInput input, Matrix values, int place, double offset) {
    int row = place / values.columns();
    int column = place % values.columns();
    double before = values.get(row, column);
    values.put(row, column, before + offset);
    double loss = language.loss(input);
    values.put(row, column, before);
    return loss;
  }

  @Test
  void shouldGiveTheSameLossWithAndWithoutGradients() {
    Ranks ranks = new Ranks(model("[lightning, local]"), VOCABULARY, 16);
    int[] sequence = Ranks.sequence(75, VOCABULARY, 3);
    ranks.run(
        1,
        sequence.length,
        setup -> {
          SliceInput input = ranks.slice(setup, sequence, new int[] {0});
          double with = setup.model().lossAndGradient(input);
          assertThat(setup.model().loss(input)).isEqualTo(with);
          // Untrained, it knows no better than to guess.
          assertThat(with / input.predicted())
              .isBetween(Math.log(VOCABULARY) - 0.3, Math.log(VOCABULARY) + 0.3);
          return null;
        });
  }

  @ParameterizedTest
  @ValueSource(strings = {"20", "36", "64"})
  void shouldAgreeBetweenPrecisions(String width) {
    int[] sequence = Ranks.sequence(200, VOCABULARY, 4);
    int[] documents = {0, 70};
    Ranks.Outcome exact = outcome(width, "double", sequence, documents);
    Ranks.Outcome rounded = outcome(width, "float", sequence, documents);
    assertThat(Math.abs(rounded.loss() - exact.loss()) / exact.loss()).isLessThan(1e-6);
    exact
        .numbers()
        .forEach(
            (name, expected) ->
                assertThat(Ranks.relativeError(rounded.numbers().get(name), expected))
                    .as("gradient of %s", name)
                    .isLessThan(2e-5));
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 3})
  void shouldTrainByTheDeltaRuleOnADevice(int sequenceRanks) {
    assumeFalse(OpenClDevices.all().isEmpty(), "no OpenCL device on this machine");
    int[] sequence = Ranks.sequence(200, VOCABULARY, 4);
    int[] documents = {0, 70};
    Ranks.Outcome exact = delta("double", "cpu").lossAndGradients(1, sequence, documents);
    Ranks.Outcome rounded =
        delta("float", "aparapi").lossAndGradients(sequenceRanks, sequence, documents);
    assertThat(Math.abs(rounded.loss() - exact.loss()) / exact.loss()).isLessThan(1e-6);
    exact
        .numbers()
        .forEach(
            (name, expected) ->
                assertThat(Ranks.relativeError(rounded.numbers().get(name), expected))
                    .as("gradient of %s", name)
                    .isLessThan(2e-5));
  }

  @Test
  void shouldTrainByTheDeltaRuleOnADeviceThatKeepsHalves() {
    assumeFalse(OpenClDevices.all().isEmpty(), "no OpenCL device on this machine");
    int[] sequence = Ranks.sequence(200, VOCABULARY, 4);
    int[] documents = {0, 70};
    Ranks.Outcome exact = delta("double", "cpu").lossAndGradients(1, sequence, documents);
    Ranks.Outcome rounded = delta("float", "aparapi-bf16").lossAndGradients(3, sequence, documents);
    assertThat(Math.abs(rounded.loss() - exact.loss()) / exact.loss()).isLessThan(1e-3);
    exact
        .numbers()
        .forEach(
            (name, expected) ->
                assertThat(Ranks.relativeError(rounded.numbers().get(name), expected))
                    .as("gradient of %s", name)
                    .isBetween(1e-4, 2e-2));
  }

  private static Ranks delta(String precision, String kernel) {
    return new Ranks(
        Ranks.configuration(
            "model.width", "36",
            "model.heads", "2",
            "model.layers", "2",
            "model.feed-forward", "40",
            "model.pattern", "[gated-delta]",
            "precision", precision,
            "kernel", kernel),
        VOCABULARY,
        64);
  }

  private static Ranks.Outcome outcome(
      String width, String precision, int[] sequence, int[] documents) {
    RunConfiguration configuration =
        Ranks.configuration(
            "model.width",
            width,
            "model.heads",
            "2",
            "model.layers",
            "2",
            "model.feed-forward",
            "40",
            "model.pattern",
            "[lightning, local]",
            "model.window",
            "50",
            "model.convolution",
            "4",
            "precision",
            precision,
            "kernel",
            "cpu");
    return new Ranks(configuration, VOCABULARY, 64).lossAndGradients(1, sequence, documents);
  }
}
