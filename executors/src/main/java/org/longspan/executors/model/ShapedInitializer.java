package org.longspan.executors.model;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.deeplearning4j.nn.api.ParamInitializer;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.layers.Layer;
import org.longspan.executors.layer.ParameterShape;
import org.longspan.executors.layer.ParameterShape.Kind;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.indexing.NDArrayIndex;

/**
 * Lays a layer's parameters one after another in DL4J's flat vector, each row-major. It leaves
 * their values: {@link LanguageModel} draws them, by name, so that they depend on neither DL4J's
 * random state nor the order of layers.
 */
final class ShapedInitializer implements ParamInitializer {
  static final ShapedInitializer INSTANCE = new ShapedInitializer();

  private ShapedInitializer() {}

  private static List<ParameterShape> shapes(Layer layer) {
    return ((SequenceLayerConfiguration) layer).shapes();
  }

  private static List<String> keys(Layer layer, boolean decaying) {
    return shapes(layer).stream()
        .filter(shape -> (shape.kind() == Kind.WEIGHT) == decaying)
        .map(ParameterShape::name)
        .toList();
  }

  @Override
  public long numParams(NeuralNetConfiguration configuration) {
    return numParams(configuration.getLayer());
  }

  @Override
  public long numParams(Layer layer) {
    return shapes(layer).stream().mapToLong(ParameterShape::size).sum();
  }

  @Override
  public List<String> paramKeys(Layer layer) {
    return shapes(layer).stream().map(ParameterShape::name).toList();
  }

  @Override
  public List<String> weightKeys(Layer layer) {
    return keys(layer, true);
  }

  @Override
  public List<String> biasKeys(Layer layer) {
    return keys(layer, false);
  }

  @Override
  public boolean isWeightParam(Layer layer, String key) {
    return weightKeys(layer).contains(key);
  }

  @Override
  public boolean isBiasParam(Layer layer, String key) {
    return biasKeys(layer).contains(key);
  }

  @Override
  public Map<String, INDArray> init(
      NeuralNetConfiguration configuration, INDArray view, boolean initialize) {
    Map<String, INDArray> parameters = getGradientsFromFlattened(configuration, view);
    parameters.keySet().forEach(configuration::addVariable);
    return parameters;
  }

  @Override
  public Map<String, INDArray> getGradientsFromFlattened(
      NeuralNetConfiguration configuration, INDArray view) {
    Map<String, INDArray> views = new LinkedHashMap<>();
    INDArray flat = view.reshape(view.length());
    long from = 0;
    for (ParameterShape shape : shapes(configuration.getLayer())) {
      views.put(
          shape.name(),
          flat.get(NDArrayIndex.interval(from, from + shape.size()))
              .reshape('c', shape.rows(), shape.columns()));
      from += shape.size();
    }
    return views;
  }
}
