package org.longspan.executors.model;

import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.longspan.executors.layer.DecoderBlock;
import org.longspan.executors.layer.RankEnvironment;
import org.nd4j.linalg.api.buffer.DataType;

/** Runs a {@link DecoderBlock}. */
final class DecoderBlockLayer extends SequenceLayer<DecoderBlockConfiguration> {
  private static final long serialVersionUID = 1L;

  private transient DecoderBlock block;

  DecoderBlockLayer(NeuralNetConfiguration configuration, DataType type) {
    super(configuration, type);
  }

  @Override
  void build(RankEnvironment rank) {
    block = new DecoderBlock(rank, layerConf().getShape());
  }

  @Override
  boolean handsOn() {
    return true;
  }

  @Override
  void forward() {
    block.forward(inputMatrix(layerConf().getShape().width()), output(), parameters());
  }

  @Override
  void backward() {
    block.backward(inputMatrix(layerConf().getShape().width()), gradientMatrix(), parameters());
  }

  @Override
  String description() {
    return block.description();
  }

  @Override
  void release() {
    block.close();
  }
}
