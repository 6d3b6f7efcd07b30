package org.longspan.executors.model;

import java.util.List;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.longspan.executors.layer.ParameterShape;
import org.longspan.executors.layer.TensorPlace;
import org.longspan.executors.layer.TokenEmbedding;
import org.nd4j.linalg.api.buffer.DataType;

/** Configures a {@link TokenEmbedding} in a graph. */
public final class TokenEmbeddingConfiguration extends SequenceLayerConfiguration {
  private static final long serialVersionUID = 1L;

  private int vocabulary;
  private int width;

  TokenEmbeddingConfiguration() {}

  public TokenEmbeddingConfiguration(int vocabulary, int width, TensorPlace place) {
    super(place);
    this.vocabulary = vocabulary;
    this.width = width;
  }

  @Override
  List<ParameterShape> shapes(TensorPlace at) {
    return TokenEmbedding.parameters(vocabulary, width, at);
  }

  @Override
  SequenceLayer<?> layer(NeuralNetConfiguration configuration, DataType type) {
    return new TokenEmbeddingLayer(configuration, type);
  }

  public int getVocabulary() {
    return vocabulary;
  }

  public void setVocabulary(int vocabulary) {
    this.vocabulary = vocabulary;
  }

  public int getWidth() {
    return width;
  }

  public void setWidth(int width) {
    this.width = width;
  }
}
