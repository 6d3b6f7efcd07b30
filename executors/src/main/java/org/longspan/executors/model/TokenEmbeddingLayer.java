package org.longspan.executors.model;

import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.longspan.executors.layer.RankEnvironment;
import org.longspan.executors.layer.TokenEmbedding;
import org.nd4j.linalg.api.buffer.DataType;

/**
 * Runs a {@link TokenEmbedding}; it takes the ids from the environment, where they are integers.
 */
final class TokenEmbeddingLayer extends SequenceLayer<TokenEmbeddingConfiguration> {
  private static final long serialVersionUID = 1L;

  private transient TokenEmbedding embedding;

  TokenEmbeddingLayer(NeuralNetConfiguration configuration, DataType type) {
    super(configuration, type);
  }

  @Override
  void build(RankEnvironment rank) {
    embedding = new TokenEmbedding(rank, layerConf().getVocabulary());
  }

  @Override
  boolean handsOn() {
    return true;
  }

  @Override
  void forward() {
    embedding.forward(output(), parameters());
  }

  @Override
  void backward() {
    embedding.backward(gradientMatrix(), parameters());
  }

  @Override
  String description() {
    return "";
  }

  @Override
  void release() {}
}
