package org.longspan.executors.model;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.longspan.executors.configuration.Derived;
import org.longspan.executors.configuration.MixerKind;
import org.longspan.executors.configuration.Options;
import org.longspan.executors.configuration.RunConfiguration;
import org.longspan.executors.configuration.TensorSplit;
import org.longspan.executors.latent.LatentShape;
import org.longspan.executors.layer.BlockShape;
import org.longspan.executors.layer.DecoderBlock;
import org.longspan.executors.layer.LanguageModelHead;
import org.longspan.executors.layer.ParameterShape;
import org.longspan.executors.layer.TensorPlace;
import org.longspan.executors.layer.TokenEmbedding;

/**
 * The sizes of a language model.
 *
 * @param pattern mixers, repeated over the layers
 * @param latent of latent mixers; null where there are none
 */
public record ModelShape(
    int vocabulary,
    int width,
    int layers,
    int heads,
    int feedForward,
    List<MixerKind> pattern,
    int window,
    int convolution,
    LatentShape latent) {

  public ModelShape {
    pattern = List.copyOf(pattern);
  }

  /** The model that {@code configuration} asks for, over {@code vocabulary} tokens. */
  public static ModelShape of(RunConfiguration configuration, int vocabulary) {
    return new ModelShape(
        vocabulary,
        configuration.get(Options.MODEL_WIDTH),
        configuration.get(Options.MODEL_LAYERS),
        configuration.get(Options.MODEL_HEADS),
        Derived.feedForward(configuration),
        configuration.get(Options.MODEL_PATTERN),
        configuration.get(Options.MODEL_WINDOW),
        configuration.get(Options.MODEL_CONVOLUTION),
        Derived.latent(configuration));
  }

  /** Block {@code layer}, from 0. */
  public BlockShape block(int layer) {
    return new BlockShape(
        pattern.get(layer % pattern.size()),
        width,
        heads,
        feedForward,
        window,
        convolution,
        layer,
        layers,
        latent);
  }

  /** Every parameter by its name, in order, as a rank at {@code place} holds it. */
  public Map<String, ParameterShape> parameters(TensorPlace place) {
    Map<String, ParameterShape> all = new LinkedHashMap<>();
    add("embedding", TokenEmbedding.parameters(vocabulary, width, place), all);
    for (int layer = 0; layer < layers; layer++) {
      add("blocks." + layer, DecoderBlock.parameters(block(layer), place), all);
    }
    add("head", LanguageModelHead.parameters(vocabulary, width, place), all);
    return all;
  }

  private static void add(
      String layer, List<ParameterShape> parameters, Map<String, ParameterShape> all) {
    parameters.forEach(parameter -> all.put(layer + "." + parameter.name(), parameter));
  }

  /**
   * Refuses to be split over {@code ranks} tensor ranks where it cannot.
   *
   * @param option by which they are asked for
   * @throws org.longspan.datapipeline.InvalidInputException saying what would do
   */
  public void requireSplit(int ranks, String option) {
    TensorSplit.check(pattern, latent, heads, feedForward, ranks, option);
    TensorSplit.checkVocabulary(vocabulary, ranks, option);
  }

  /** Where {@code wanted} differs, a phrase for each key: what it is here, and what it is to be. */
  public List<String> differences(ModelShape wanted) {
    List<String> differences = new ArrayList<>();
    compare("vocabulary", vocabulary, wanted.vocabulary, differences);
    compare("model.width", width, wanted.width, differences);
    compare("model.layers", layers, wanted.layers, differences);
    compare("model.heads", heads, wanted.heads, differences);
    compare("model.feed-forward", feedForward, wanted.feedForward, differences);
    compare("model.pattern", pattern, wanted.pattern, differences);
    compare("model.window", window, wanted.window, differences);
    compare("model.convolution", convolution, wanted.convolution, differences);
    if (latent != null && wanted.latent != null) {
      compareLatent(wanted.latent, differences);
    }
    return differences;
  }

  private void compareLatent(LatentShape wanted, List<String> differences) {
    compare("model.latent.rank", latent.rank(), wanted.rank(), differences);
    compare("model.latent.query-rank", latent.queryRank(), wanted.queryRank(), differences);
    compare("model.latent.nope", latent.nope(), wanted.nope(), differences);
    compare("model.latent.rope", latent.rope(), wanted.rope(), differences);
    compare("model.latent.value", latent.value(), wanted.value(), differences);
    compare("model.latent.form", latent.form(), wanted.form(), differences);
    compare("model.latent.groups", latent.groups(), wanted.groups(), differences);
    compare("model.latent.norm", latent.norm(), wanted.norm(), differences);
  }

  private static void compare(String key, Object own, Object wanted, List<String> differences) {
    if (!own.equals(wanted)) {
      differences.add(
          String.format("%s is %s there and is to be %s", key, own, wanted)
              .toLowerCase(Locale.ROOT));
    }
  }
}
