package org.longspan.executors.model;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.gradient.DefaultGradient;
import org.deeplearning4j.nn.gradient.Gradient;
import org.deeplearning4j.nn.layers.BaseLayer;
import org.deeplearning4j.nn.workspace.LayerWorkspaceMgr;
import org.longspan.executors.layer.ParameterShape;
import org.longspan.executors.layer.Parameters;
import org.longspan.executors.layer.RankEnvironment;
import org.longspan.executors.memory.DoubleMatrix;
import org.longspan.executors.memory.FloatMatrix;
import org.longspan.executors.memory.Matrix;
import org.nd4j.common.primitives.Pair;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/**
 * A DL4J layer around one of ours. Before it runs it is attached to its rank's environment, which
 * holds the slice being worked on: arrays have room for the longest slice, and the environment
 * knows how many of their rows count. It returns the same array every step, so that a step
 * allocates nothing.
 *
 * <p>Threading: as DL4J's layers, one thread.
 */
abstract class SequenceLayer<C extends SequenceLayerConfiguration> extends BaseLayer<C> {
  private static final long serialVersionUID = 1L;

  private transient RankEnvironment environment;
  private transient Parameters parameters;
  private transient INDArray outputArray;
  private transient Matrix output;
  private transient INDArray gradientArray;
  private transient Matrix gradientMatrix;

  SequenceLayer(NeuralNetConfiguration configuration, DataType type) {
    super(configuration, type);
  }

  /**
   * Gives the layer what it runs with.
   *
   * @param width columns of what it hands on
   * @param gradient room for {@code [capacity, width]}: the gradient that all layers of a rank hand
   *     back, each in place
   */
  final void attach(RankEnvironment rank, int width, INDArray gradient) {
    environment = rank;
    List<ParameterShape> shapes = layerConf().shapes();
    List<Matrix> values = new ArrayList<>();
    List<Matrix> gradients = new ArrayList<>();
    for (ParameterShape shape : shapes) {
      values.add(matrix(params.get(shape.name()), shape.rows(), shape.columns()));
      gradients.add(matrix(gradientViews.get(shape.name()), shape.rows(), shape.columns()));
    }
    parameters = new Parameters(rank, shapes, values, gradients);
    gradientArray = gradient;
    gradientMatrix = matrix(gradient, rank.capacity(), width);
    if (handsOn()) {
      outputArray = Nd4j.create(dataType, rank.capacity(), width);
      output = matrix(outputArray, rank.capacity(), width);
    }
    build(rank);
  }

  /** Makes our layer. */
  abstract void build(RankEnvironment rank);

  /** Whether the layer has an output that another one takes. */
  abstract boolean handsOn();

  /** Fills {@link #output}. */
  abstract void forward();

  /** Turns {@link #gradientMatrix} from the gradient of the output into that of the input. */
  abstract void backward();

  /** What computes its attention; empty where it has none. */
  abstract String description();

  /** Frees what our layer holds besides the arena's memory. */
  abstract void release();

  static Matrix matrix(INDArray array, long rows, int columns) {
    return switch (array.dataType()) {
      case FLOAT -> FloatMatrix.of(array, rows, columns);
      case DOUBLE -> DoubleMatrix.of(array, rows, columns);
      default -> throw new IllegalArgumentException("Not a precision of ours: " + array.dataType());
    };
  }

  final Parameters parameters() {
    return parameters;
  }

  final Matrix output() {
    return output;
  }

  final Matrix gradientMatrix() {
    return gradientMatrix;
  }

  /** The output of the layer before. */
  final Matrix inputMatrix(int width) {
    return matrix(input, environment.capacity(), width);
  }

  @Override
  public final INDArray activate(boolean training, LayerWorkspaceMgr workspaces) {
    forward();
    return outputArray;
  }

  @Override
  public final Pair<Gradient, INDArray> backpropGradient(
      INDArray epsilon, LayerWorkspaceMgr workspaces) {
    backward();
    Gradient gradients = new DefaultGradient(gradientsFlattened);
    for (Map.Entry<String, INDArray> view : gradientViews.entrySet()) {
      gradients.setGradientFor(view.getKey(), view.getValue());
    }
    return new Pair<>(gradients, gradientArray);
  }

  /** Zero: decay acts in the update, not in the loss. */
  @Override
  public final double calcRegularizationScore(boolean backpropOnly) {
    return 0;
  }

  @Override
  public final boolean updaterDivideByMinibatch(String name) {
    return false;
  }

  @Override
  public final boolean isPretrainLayer() {
    return false;
  }
}
