package org.longspan.executors.model;

import static org.assertj.core.api.Assertions.assertThat;

import org.deeplearning4j.nn.conf.ComputationGraphConfiguration;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.graph.LayerVertex;
import org.junit.jupiter.api.Test;
import org.longspan.executors.configuration.MixerKind;
import org.longspan.executors.latent.LatentForm;
import org.longspan.executors.latent.LatentNorm;
import org.longspan.executors.latent.LatentShape;
import org.longspan.executors.layer.BlockShape;
import org.longspan.executors.layer.TensorPlace;

class GraphConfigurationTest {
  private static final BlockShape SHAPE =
      new BlockShape(
          MixerKind.LATENT,
          12,
          3,
          20,
          7,
          4,
          1,
          2,
          new LatentShape(
              12, 3, 0, 16, 4, 2, 4, LatentForm.TPLA, LatentNorm.LOCAL, 2, 10_000, 1e-6));
  private static final TensorPlace PLACE = new TensorPlace(2, 3);

  @Test
  void shouldGoThroughDl4jsJson() {
    ComputationGraphConfiguration configuration =
        new NeuralNetConfiguration.Builder()
            .graphBuilder()
            .addInputs("tokens")
            .addLayer("embedding", new TokenEmbeddingConfiguration(50, 12, PLACE), "tokens")
            .addLayer("blocks.0", new DecoderBlockConfiguration(SHAPE, PLACE), "embedding")
            .addLayer("head", new LanguageModelHeadConfiguration(50, 12, PLACE), "blocks.0")
            .setOutputs("head")
            .build();
    ComputationGraphConfiguration read =
        ComputationGraphConfiguration.fromJson(configuration.toJson());
    assertThat(layer(read, "blocks.0", DecoderBlockConfiguration.class).getShape())
        .isEqualTo(SHAPE);
    assertThat(layer(read, "embedding", TokenEmbeddingConfiguration.class).getVocabulary())
        .isEqualTo(50);
    assertThat(layer(read, "head", LanguageModelHeadConfiguration.class).getWidth()).isEqualTo(12);
    assertThat(layer(read, "blocks.0", SequenceLayerConfiguration.class).getPlace())
        .isEqualTo(PLACE);
  }

  private static <T> T layer(
      ComputationGraphConfiguration configuration, String name, Class<T> type) {
    return type.cast(
        ((LayerVertex) configuration.getVertices().get(name)).getLayerConf().getLayer());
  }
}
