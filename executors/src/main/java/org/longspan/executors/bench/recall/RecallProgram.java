package org.longspan.executors.bench.recall;

import java.util.List;
import java.util.function.Supplier;
import java.util.stream.IntStream;
import java.util.stream.LongStream;
import org.longspan.datapipeline.InvalidInputException;
import org.longspan.executors.configuration.Options;
import org.longspan.executors.configuration.RunConfiguration;
import org.longspan.executors.layer.SliceInput;
import org.longspan.executors.memory.Matrix;
import org.longspan.executors.model.ModelShape;
import org.longspan.executors.train.RankContext;
import org.longspan.executors.train.RankEvent;
import org.longspan.executors.train.RankProgram;
import org.longspan.executors.train.RankSetup;
import org.longspan.executors.train.TrainingStep;

/**
 * Trains a small model until it recalls, or for as many steps as it may take, then asks it on
 * sequences that it has not seen: what every rank does. Rank 0 reports each step and at the end a
 * {@link RankEvent.Recall}. An attempt starts anew.
 */
public final class RecallProgram implements RankProgram {
  private static final long serialVersionUID = 1L;

  private static final int SEQUENCES_OF_STEP = 32;
  private static final int SEQUENCES_HELD_OUT = 256;

  /** Nats below which a step's mean loss counts as learned: {@code e^-0.02} is 98 %. */
  private static final double LEARNED = 0.02;

  /** One step's sequences may be easy ones; as many steps as this in a row are not luck. */
  private static final int STEPS_LEARNED = 3;

  private final RecallSettings settings;

  public RecallProgram(RecallSettings settings) {
    this.settings = settings;
  }

  @Override
  public void run(RankContext context) {
    RecallTask task = settings.task();
    RunConfiguration configuration = settings.configuration();
    try (RankSetup setup =
        new RankSetup(
            configuration,
            ModelShape.of(configuration, RecallTask.VOCABULARY),
            context.mesh(),
            context.transport(),
            context.threads(),
            task.tokens(),
            task.tokensOfRank())) {
      context.report(RankEvent.Ready.of(context, setup.description()));
      train(context, setup, new TrainingStep(setup, configuration.get(Options.TRAIN_CLIP)));
      RankEvent.Recall recall = recall(setup);
      if (setup.rank().number() == 0) {
        context.report(recall);
      }
    }
  }

  private void train(RankContext context, RankSetup setup, TrainingStep training) {
    int learned = 0;
    for (int step = 0; step < settings.steps() && learned < STEPS_LEARNED; step++) {
      if (Thread.currentThread().isInterrupted()) {
        throw new IllegalStateException(
            "Rank " + setup.rank().number() + " was interrupted before step " + (step + 1));
      }
      long before = System.nanoTime();
      TrainingStep.Result result = training.run(slices(step, setup.rank().sequence()), step);
      requireFinite(result, step + 1);
      // Of all ranks' tokens, so that all ranks stop after the same step.
      learned = result.loss() < LEARNED ? learned + 1 : 0;
      if (setup.rank().number() == 0) {
        context.report(
            new RankEvent.Step(
                step + 1L,
                result.loss(),
                result.tokens(),
                (System.nanoTime() - before) / 1e9,
                result.gradientNorm(),
                result.learningRate()));
      }
    }
  }

  private static void requireFinite(TrainingStep.Result result, int step) {
    if (!Double.isFinite(result.loss()) || !Double.isFinite(result.gradientNorm())) {
      throw new InvalidInputException(
          "Training diverged at step "
              + step
              + ": the loss is "
              + result.loss()
              + "; another seed may do.");
    }
  }

  /** Training takes the sequences from 0 on, each once. */
  private List<Supplier<SliceInput>> slices(int step, int place) {
    long first = (long) step * SEQUENCES_OF_STEP;
    return LongStream.range(first, first + SEQUENCES_OF_STEP)
        .<Supplier<SliceInput>>mapToObj(number -> () -> settings.task().slice(number, place))
        .toList();
  }

  /** Over the sequences of negative numbers, which training does not take. */
  private RankEvent.Recall recall(RankSetup setup) {
    double[] counts = new double[2];
    for (long number = -SEQUENCES_HELD_OUT; number < 0; number++) {
      SliceInput slice = settings.task().slice(number, setup.rank().sequence());
      Matrix logits = setup.model().logits(slice, slice.length());
      for (int token = 0; token < slice.length(); token++) {
        int target = slice.targets()[token];
        if (target >= 0) {
          counts[0] += likeliest(logits, token) == target ? 1 : 0;
          counts[1]++;
        }
      }
    }
    setup.everyone().allReduce(counts);
    return new RankEvent.Recall((long) counts[0], (long) counts[1]);
  }

  private static int likeliest(Matrix logits, int row) {
    return IntStream.range(1, logits.columns())
        .reduce(0, (best, next) -> logits.get(row, next) > logits.get(row, best) ? next : best);
  }
}
