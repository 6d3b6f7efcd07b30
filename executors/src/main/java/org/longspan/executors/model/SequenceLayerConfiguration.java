package org.longspan.executors.model;

import java.util.Collection;
import java.util.List;
import org.deeplearning4j.nn.api.ParamInitializer;
import org.deeplearning4j.nn.conf.InputPreProcessor;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.inputs.InputType;
import org.deeplearning4j.nn.conf.layers.BaseLayer;
import org.deeplearning4j.nn.conf.memory.LayerMemoryReport;
import org.deeplearning4j.optimize.api.TrainingListener;
import org.longspan.executors.layer.ParameterShape;
import org.longspan.executors.layer.TensorPlace;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * What our layers' configurations have in common: parameters by their shapes, and rows of tokens in
 * and out.
 */
abstract class SequenceLayerConfiguration extends BaseLayer {
  private static final long serialVersionUID = 1L;

  private TensorPlace place;

  SequenceLayerConfiguration() {}

  /**
   * @param place which share of the layer a rank runs
   */
  SequenceLayerConfiguration(TensorPlace place) {
    this.place = place;
  }

  /** The layer's parameters, in order, as a rank at {@code at} holds them. */
  abstract List<ParameterShape> shapes(TensorPlace at);

  /** The layer's parameters, in order, as this rank holds them. */
  final List<ParameterShape> shapes() {
    return shapes(place);
  }

  /** The layer that runs. */
  abstract SequenceLayer<?> layer(NeuralNetConfiguration configuration, DataType type);

  public final TensorPlace getPlace() {
    return place;
  }

  public final void setPlace(TensorPlace place) {
    this.place = place;
  }

  @Override
  public final org.deeplearning4j.nn.api.Layer instantiate(
      NeuralNetConfiguration configuration,
      Collection<TrainingListener> listeners,
      int index,
      INDArray parametersView,
      boolean initialize,
      DataType type) {
    SequenceLayer<?> layer = layer(configuration, type);
    layer.setListeners(listeners);
    layer.setIndex(index);
    layer.setParamsViewArray(parametersView);
    layer.setParamTable(initializer().init(configuration, parametersView, initialize));
    layer.setConf(configuration);
    return layer;
  }

  @Override
  public final ParamInitializer initializer() {
    return ShapedInitializer.INSTANCE;
  }

  @Override
  public final InputType getOutputType(int index, InputType input) {
    return input;
  }

  @Override
  public final void setNIn(InputType input, boolean override) {}

  @Override
  public final InputPreProcessor getPreProcessorForInputType(InputType input) {
    return null;
  }

  @Override
  public final boolean isPretrainParam(String name) {
    return false;
  }

  @Override
  public final LayerMemoryReport getMemoryReport(InputType input) {
    throw new UnsupportedOperationException("Arenas know what they hold; DL4J's report does not");
  }
}
