package org.longspan.executors.model;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.UUID;
import org.deeplearning4j.nn.api.Layer;
import org.deeplearning4j.nn.conf.ComputationGraphConfiguration;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.WorkspaceMode;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.deeplearning4j.nn.workspace.LayerWorkspaceMgr;
import org.longspan.executors.configuration.Options;
import org.longspan.executors.configuration.RunConfiguration;
import org.longspan.executors.layer.ParameterShape;
import org.longspan.executors.layer.ParameterShape.GradientPart;
import org.longspan.executors.layer.RankEnvironment;
import org.longspan.executors.layer.SliceInput;
import org.longspan.executors.layer.TensorPlace;
import org.longspan.executors.math.RowOperations;
import org.longspan.executors.memory.Matrix;
import org.longspan.executors.memory.Precision;
import org.longspan.parallelism.collective.Communicator;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.learning.config.Adam;
import org.nd4j.linalg.learning.regularization.WeightDecay;

/**
 * A language model on one rank: a DL4J {@code ComputationGraph} of embedding, decoder blocks and
 * head. Losses and gradients are sums over the slice's predicted tokens; who sums them over the
 * ranks and divides is the training step.
 *
 * <p>Where several tensor ranks share a slice, each holds a share of the model, as its {@link
 * #shapes} say, and finds the loss of the whole one; gradients are complete after {@link
 * #completeGradients}.
 *
 * <p>Threading: one thread, with the environment's workers.
 */
public final class LanguageModel implements AutoCloseable {
  private static final double DEVIATION = 0.02;
  private static final double FIRST_MOMENT_DECAY = 0.9;
  private static final double SECOND_MOMENT_DECAY = 0.95;
  private static final double ADAM_EPSILON = 1e-8;

  private final RankEnvironment environment;
  private final ModelShape shape;
  private final ComputationGraph graph;
  private final List<SequenceLayer<?>> layers = new ArrayList<>();
  private final LanguageModelHeadLayer head;
  private final INDArray[] placeholder;

  /**
   * The model of {@code shape}, with the parameters that {@code configuration}'s seed gives and its
   * optimizer at rest.
   */
  public LanguageModel(
      RunConfiguration configuration, ModelShape shape, RankEnvironment environment) {
    this.environment = environment;
    this.shape = shape;
    DataType type =
        switch (environment.numerics().precision()) {
          case FLOAT -> DataType.FLOAT;
          case DOUBLE -> DataType.DOUBLE;
        };
    this.graph =
        new ComputationGraph(graphConfiguration(configuration, shape, environment.place(), type));
    graph.init();
    graph.initGradientsView();
    INDArray gradient = Nd4j.create(type, environment.capacity(), shape.width());
    for (Layer layer : graph.getLayers()) {
      SequenceLayer<?> ours = (SequenceLayer<?>) layer;
      ours.attach(environment, shape.width(), gradient);
      layers.add(ours);
    }
    this.head = (LanguageModelHeadLayer) layers.get(layers.size() - 1);
    this.placeholder = new INDArray[] {Nd4j.create(type, environment.capacity(), 1)};
    draw(configuration.get(Options.SEED));
  }

  private static ComputationGraphConfiguration graphConfiguration(
      RunConfiguration configuration, ModelShape shape, TensorPlace place, DataType type) {
    WarmupCosine schedule =
        new WarmupCosine(
            configuration.get(Options.TRAIN_LEARNING_RATE),
            configuration.get(Options.TRAIN_WARMUP),
            configuration.get(Options.TRAIN_STEPS));
    WeightDecay decay = new WeightDecay(configuration.get(Options.TRAIN_WEIGHT_DECAY), true);
    ComputationGraphConfiguration.GraphBuilder builder =
        new NeuralNetConfiguration.Builder()
            .dataType(type)
            .updater(
                Adam.builder()
                    .learningRateSchedule(schedule)
                    .beta1(FIRST_MOMENT_DECAY)
                    .beta2(SECOND_MOMENT_DECAY)
                    .epsilon(ADAM_EPSILON)
                    .build())
            .miniBatch(false)
            // Layers return arrays of their own, made once: workspaces would have nothing to hold.
            .trainingWorkspaceMode(WorkspaceMode.NONE)
            .inferenceWorkspaceMode(WorkspaceMode.NONE)
            .graphBuilder()
            .addInputs("tokens")
            .addLayer(
                "embedding",
                decaying(
                    new TokenEmbeddingConfiguration(shape.vocabulary(), shape.width(), place),
                    decay),
                "tokens");
    String before = "embedding";
    for (int layer = 0; layer < shape.layers(); layer++) {
      String name = "blocks." + layer;
      builder.addLayer(
          name, decaying(new DecoderBlockConfiguration(shape.block(layer), place), decay), before);
      before = name;
    }
    return builder
        .addLayer(
            "head",
            decaying(
                new LanguageModelHeadConfiguration(shape.vocabulary(), shape.width(), place),
                decay),
            before)
        .setOutputs("head")
        .build();
  }

  /** Set on each layer: what is set for all of a graph, DL4J's builder applies twice to each. */
  private static <C extends SequenceLayerConfiguration> C decaying(C layer, WeightDecay decay) {
    layer.setRegularization(List.of(decay));
    return layer;
  }

  private void draw(long seed) {
    eachParameter(
        (name, parameterShape, values) -> {
          // By name: the same parameter starts the same whatever the layers around it are.
          UUID key = UUID.nameUUIDFromBytes((seed + " " + name).getBytes(StandardCharsets.UTF_8));
          Random random = new Random(key.getMostSignificantBits() ^ key.getLeastSignificantBits());
          int[] columns = parameterShape.columnSide().numbers();
          double[] drawn = new double[parameterShape.columnSide().whole()];
          int held = 0;
          int[] rows = parameterShape.rowSide().numbers();
          // Of the whole parameter, so that a number starts the same whichever rank holds it.
          for (int row = 0; row < parameterShape.rowSide().whole() && held < rows.length; row++) {
            draw(parameterShape, random, drawn);
            if (rows[held] == row) {
              for (int column = 0; column < columns.length; column++) {
                values.put(held, column, drawn[columns[column]]);
              }
              held++;
            }
          }
        });
  }

  /** A row of a whole parameter. */
  private static void draw(ParameterShape shape, Random random, double[] row) {
    for (int column = 0; column < row.length; column++) {
      row[column] =
          switch (shape.kind()) {
            case WEIGHT -> DEVIATION * random.nextGaussian();
            case TAPS -> (2 * random.nextDouble() - 1) / Math.sqrt(shape.rowSide().whole());
            case GAIN -> 1;
            case MEMORY -> memoryBias(column, row.length);
            case SHARE_ESTIMATE -> row.length;
          };
    }
  }

  /** The bias with which {@code log σ(bias) / 16 = −1/n}, n the tokens that a column remembers. */
  private static double memoryBias(int column, int columns) {
    double doublings = columns == 1 ? 4 : 8.0 * column / (columns - 1);
    double tokens = 16 * Math.pow(2, doublings);
    return -Math.log(Math.expm1(16 / tokens));
  }

  private interface ParameterVisitor {
    void visit(String name, ParameterShape shape, Matrix values);
  }

  private void eachParameter(ParameterVisitor visitor) {
    for (SequenceLayer<?> layer : layers) {
      for (ParameterShape parameter : layer.layerConf().shapes()) {
        visitor.visit(
            layer.conf().getLayer().getLayerName() + "." + parameter.name(),
            parameter,
            layer.parameters().value(parameter.name()));
      }
    }
  }

  public ModelShape shape() {
    return shape;
  }

  /** Every parameter by its name, in the order of the flat vector. */
  public Map<String, Matrix> parameters() {
    Map<String, Matrix> all = new LinkedHashMap<>();
    eachParameter((name, parameter, values) -> all.put(name, values));
    return all;
  }

  /**
   * Every parameter's gradient by its name, as the last {@link #lossAndGradient} or {@link
   * #completeGradients} left it.
   */
  public Map<String, Matrix> gradients() {
    Map<String, Matrix> all = new LinkedHashMap<>();
    for (SequenceLayer<?> layer : layers) {
      for (ParameterShape parameter : layer.layerConf().shapes()) {
        all.put(
            layer.conf().getLayer().getLayerName() + "." + parameter.name(),
            layer.parameters().gradient(parameter.name()));
      }
    }
    return all;
  }

  /** What of each parameter is here, by its name, in the order of the flat vector. */
  public Map<String, ParameterShape> shapes() {
    return shapes(environment.place());
  }

  /** Likewise on a rank at {@code place}. */
  public Map<String, ParameterShape> shapes(TensorPlace place) {
    return shape.parameters(place);
  }

  /** The ranks that share this one's slice, each with a share of the model. */
  public Communicator tensor() {
    return environment.tensor();
  }

  /**
   * Gives every tensor rank the whole gradient of each parameter that all of them hold, the same to
   * the last bit: parts are summed, and where each rank has found the whole it is the first one's,
   * so that ranks on machines of different kinds stay together. Once for the sum of some losses.
   *
   * <p>Received: {@code 2(T−1)/T · n} bytes, n those of these parameters, which are small, T the
   * tensor ranks.
   */
  public void completeGradients() {
    if (tensor().size() == 1) {
      return;
    }
    Map<String, ParameterShape> common = new LinkedHashMap<>(shapes());
    common.values().removeIf(ParameterShape::split);
    long size = common.values().stream().mapToLong(ParameterShape::size).sum();
    Matrix sum = environment.shared("common gradients", size, 1);
    sum.zero();
    Map<String, Matrix> gradients = gradients();
    eachPart(
        common,
        sum,
        (name, shape, part) -> {
          if (shape.gradient() == GradientPart.PARTIAL || tensor().index() == 0) {
            part.set(gradients.get(name));
          }
        });
    environment.sumOverTensor(sum);
    eachPart(common, sum, (name, shape, part) -> gradients.get(name).set(part));
  }

  private static void eachPart(
      Map<String, ParameterShape> shapes, Matrix column, ParameterVisitor visitor) {
    long from = 0;
    for (Map.Entry<String, ParameterShape> entry : shapes.entrySet()) {
      ParameterShape shape = entry.getValue();
      Matrix part = column.rows(from, from + shape.size()).reshape(shape.rows(), shape.columns());
      visitor.visit(entry.getKey(), shape, part);
      from += shape.size();
    }
  }

  /**
   * The square of the norm of the whole model's gradient; each parameter counts once, on however
   * many tensor ranks it is. The same to the last bit on each of them.
   */
  public double squaredGradientNorm() {
    RowOperations rows = environment.numerics().rows();
    if (tensor().size() == 1) {
      return rows.sumOfSquares(flatGradient());
    }
    Map<String, ParameterShape> shapes = shapes();
    double[] sum = {0};
    gradients()
        .forEach(
            (name, gradient) -> {
              if (shapes.get(name).split() || tensor().index() == 0) {
                sum[0] += rows.sumOfSquares(gradient);
              }
            });
    tensor().allReduce(sum);
    return sum[0];
  }

  /** All gradients as one column {@code [parameters, 1]}. */
  public Matrix flatGradient() {
    return SequenceLayer.matrix(graph.getFlattenedGradients(), graph.numParams(), 1);
  }

  /**
   * Adam's moments as one column: all first ones, then all second ones, each in the order of the
   * parameters.
   */
  public Matrix optimizerState() {
    INDArray state = graph.getUpdater(true).getStateViewArray();
    return SequenceLayer.matrix(state, state.length(), 1);
  }

  /** Numbers that are trained on this rank. */
  public long size() {
    return graph.numParams();
  }

  /**
   * The sum of the slice's losses, in nats; the gradients of that sum are left in {@link
   * #flatGradient}.
   */
  public double lossAndGradient(SliceInput input) {
    environment.accept(input);
    graph.setInputs(placeholder);
    graph.setLabels(placeholder);
    graph.computeGradientAndScore();
    return graph.score();
  }

  /** The sum of the slice's losses, in nats, without gradients. */
  public double loss(SliceInput input) {
    return head.loss(forward(input));
  }

  /** Goes through all blocks; the result is what the head takes, {@code [capacity, width]}. */
  private Matrix forward(SliceInput input) {
    environment.accept(input);
    LayerWorkspaceMgr none = LayerWorkspaceMgr.noWorkspaces();
    INDArray activation = placeholder[0];
    for (SequenceLayer<?> layer : layers.subList(0, layers.size() - 1)) {
      activation = layer.activate(activation, false, none);
    }
    return layers.get(layers.size() - 2).output();
  }

  /**
   * The logits of the slice's first {@code count} tokens, {@code [count, vocabulary]}, or those of
   * its columns that this rank has; at most a tile of them.
   */
  public Matrix logits(SliceInput input, int count) {
    return head.logits(forward(input), 0, count);
  }

  /**
   * One step of the optimizer with the gradient that {@link #flatGradient} holds, which becomes the
   * update.
   *
   * @param iteration steps done before
   * @return the learning rate that it used
   */
  public double update(int iteration) {
    graph
        .getUpdater(true)
        .update(graph.gradient(), iteration, 0, 1, LayerWorkspaceMgr.noWorkspaces());
    INDArray values = graph.params();
    values.subi(graph.getFlattenedGradients().reshape(values.shape()));
    return ((Adam) layers.get(0).layerConf().getIUpdater()).getLearningRate(iteration, 0);
  }

  /** What computes the attention of each kind of mixer, once each. */
  public String description() {
    return String.join(
        "; ",
        layers.stream()
            .map(SequenceLayer::description)
            .filter(text -> !text.isEmpty())
            .distinct()
            .toList());
  }

  public Precision precision() {
    return environment.numerics().precision();
  }

  @Override
  public void close() {
    layers.forEach(SequenceLayer::release);
  }
}
