package org.longspan.executors.model;

import java.util.List;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.longspan.executors.layer.BlockShape;
import org.longspan.executors.layer.DecoderBlock;
import org.longspan.executors.layer.ParameterShape;
import org.longspan.executors.layer.TensorPlace;
import org.nd4j.linalg.api.buffer.DataType;

/** Configures a {@link DecoderBlock} in a graph. */
public final class DecoderBlockConfiguration extends SequenceLayerConfiguration {
  private static final long serialVersionUID = 1L;

  private BlockShape shape;

  DecoderBlockConfiguration() {}

  public DecoderBlockConfiguration(BlockShape shape, TensorPlace place) {
    super(place);
    this.shape = shape;
  }

  @Override
  List<ParameterShape> shapes(TensorPlace at) {
    return DecoderBlock.parameters(shape, at);
  }

  @Override
  SequenceLayer<?> layer(NeuralNetConfiguration configuration, DataType type) {
    return new DecoderBlockLayer(configuration, type);
  }

  public BlockShape getShape() {
    return shape;
  }

  public void setShape(BlockShape shape) {
    this.shape = shape;
  }
}
