package org.longspan.executors.model;

import org.deeplearning4j.nn.api.layers.IOutputLayer;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.workspace.LayerWorkspaceMgr;
import org.longspan.executors.layer.LanguageModelHead;
import org.longspan.executors.layer.RankEnvironment;
import org.longspan.executors.memory.Matrix;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.api.DataSet;
import org.nd4j.linalg.dataset.api.iterator.DataSetIterator;

/**
 * Runs a {@link LanguageModelHead}: the backward computes the loss on its way, and the score is
 * that.
 */
final class LanguageModelHeadLayer extends SequenceLayer<LanguageModelHeadConfiguration>
    implements IOutputLayer {
  private static final long serialVersionUID = 1L;

  private transient LanguageModelHead head;
  private transient double loss;
  private transient INDArray labels;

  LanguageModelHeadLayer(NeuralNetConfiguration configuration, DataType type) {
    super(configuration, type);
  }

  @Override
  void build(RankEnvironment rank) {
    head = new LanguageModelHead(rank, layerConf().getVocabulary(), layerConf().getWidth());
  }

  @Override
  boolean handsOn() {
    return false;
  }

  @Override
  void forward() {
    throw new UnsupportedOperationException(
        "Logits of a whole slice are never held; ask for the loss, or for a few logits");
  }

  @Override
  void backward() {
    loss =
        head.lossAndGradient(inputMatrix(layerConf().getWidth()), gradientMatrix(), parameters());
  }

  /** The sum of the slice's losses, from {@code x}, without gradients. */
  double loss(Matrix x) {
    return head.loss(x, parameters());
  }

  /** Logits of {@code count} tokens from {@code first} on, or this rank's columns of them. */
  Matrix logits(Matrix x, int first, int count) {
    return head.logits(0, first, count, x, parameters());
  }

  @Override
  String description() {
    return "";
  }

  @Override
  void release() {}

  @Override
  public double computeScore(
      double regularization, boolean training, LayerWorkspaceMgr workspaces) {
    return loss;
  }

  @Override
  public boolean needsLabels() {
    return false;
  }

  @Override
  public void setLabels(INDArray labels) {
    this.labels = labels;
  }

  @Override
  public INDArray getLabels() {
    return labels;
  }

  @Override
  public INDArray computeScoreForExamples(double regularization, LayerWorkspaceMgr workspaces) {
    throw notAClassifier();
  }

  @Override
  public double f1Score(DataSet data) {
    throw notAClassifier();
  }

  @Override
  public double f1Score(INDArray examples, INDArray truths) {
    throw notAClassifier();
  }

  @Override
  @Deprecated
  public int numLabels() {
    throw notAClassifier();
  }

  @Override
  public void fit(DataSetIterator data) {
    throw notAClassifier();
  }

  @Override
  public void fit(INDArray examples, INDArray truths) {
    throw notAClassifier();
  }

  @Override
  public void fit(INDArray examples, int[] truths) {
    throw notAClassifier();
  }

  @Override
  public void fit(DataSet data) {
    throw notAClassifier();
  }

  @Override
  public int[] predict(INDArray examples) {
    throw notAClassifier();
  }

  @Override
  public java.util.List<String> predict(DataSet data) {
    throw notAClassifier();
  }

  private static UnsupportedOperationException notAClassifier() {
    return new UnsupportedOperationException("A language model's head is no classifier of rows");
  }
}
