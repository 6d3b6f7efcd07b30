package org.longspan.executors.train;

import java.util.List;
import java.util.function.Supplier;
import org.longspan.executors.layer.RankEnvironment;
import org.longspan.executors.layer.SliceInput;
import org.longspan.executors.memory.Matrix;
import org.longspan.executors.model.LanguageModel;
import org.longspan.parallelism.collective.Communicator;

/**
 * One step of the optimizer: gradients of the losses of some sequences, summed over the mesh,
 * divided by the tokens predicted, clipped by their global norm, applied.
 *
 * <p>Threading: one thread.
 */
public final class TrainingStep {
  private static final int NUMBERS_AT_ONCE = 1 << 26;

  /**
   * What a step did.
   *
   * @param loss mean over the predicted tokens, in nats
   * @param tokens that it went through, over the mesh
   * @param gradientNorm before clipping
   */
  public record Result(double loss, long tokens, double gradientNorm, double learningRate) {}

  private final RankSetup setup;
  private final LanguageModel model;
  private final RankEnvironment environment;
  private final Communicator everyone;
  private final Communicator summing;
  private final double clip;
  private Matrix sum;

  /**
   * @param clip greatest norm of the gradient; 0 for none
   */
  public TrainingStep(RankSetup setup, double clip) {
    this.setup = setup;
    this.model = setup.model();
    this.environment = setup.environment();
    this.everyone = setup.everyone();
    // Where results must not depend on the number of sequence ranks, each of them has the gradient
    // of its whole sequence already.
    this.summing =
        switch (environment.mode().reproducibility()) {
          case FAST -> setup.sameShare();
          case BITWISE -> setup.replicas();
        };
    this.clip = clip;
  }

  /** A step over this rank's slices of some sequences, after {@code iteration} steps. */
  public Result run(List<Supplier<SliceInput>> slices, int iteration) {
    environment.enterStep(iteration + 1L);
    everyone.position(iteration + 1L, -1);
    summing.position(iteration + 1L, -1);
    Matrix gradient = model.flatGradient();
    double loss = 0;
    long tokens = 0;
    long predicted = 0;
    for (int i = 0; i < slices.size(); i++) {
      SliceInput slice = slices.get(i).get();
      loss += model.lossAndGradient(slice);
      tokens += slice.length();
      predicted += slice.predicted();
      accumulate(gradient, i, slices.size());
    }
    // Every tensor rank has found the same; the first one tells.
    double[] totals =
        setup.rank().tensor() == 0 ? new double[] {loss, tokens, predicted} : new double[3];
    everyone.allReduce(totals);
    model.completeGradients();
    sumOverMesh(gradient);
    double count = Math.max(1, totals[2]);
    double norm = Math.sqrt(model.squaredGradientNorm()) / count;
    double factor = clip > 0 && norm > clip ? clip / norm / count : 1 / count;
    environment.numerics().rows().scale(factor, gradient);
    double learningRate = model.update(iteration);
    return new Result(totals[0] / count, (long) totals[1], norm, learningRate);
  }

  /** Where a step has several sequences, the gradient of each is added to those before it. */
  private void accumulate(Matrix gradient, int index, int count) {
    if (count == 1) {
      return;
    }
    if (sum == null) {
      sum = environment.arena().matrix(gradient.rows(), 1);
    }
    if (index == 0) {
      sum.set(gradient);
    } else {
      eachPiece(
          gradient,
          (first, numbers) ->
              environment
                  .elementType()
                  .add(sum.bytes(first, numbers), gradient.bytes(first, numbers)));
    }
    if (index == count - 1) {
      gradient.set(sum);
    }
  }

  private void sumOverMesh(Matrix gradient) {
    eachPiece(
        gradient,
        (first, numbers) ->
            summing.allReduce(gradient.bytes(first, numbers), environment.elementType()));
  }

  private interface PieceWork {
    void accept(long first, long numbers);
  }

  /** A buffer cannot hold any number of bytes, so the gradient is gone through in pieces. */
  private static void eachPiece(Matrix gradient, PieceWork work) {
    for (long first = 0; first < gradient.rows(); first += NUMBERS_AT_ONCE) {
      work.accept(first, Math.min(NUMBERS_AT_ONCE, gradient.rows() - first));
    }
  }
}
