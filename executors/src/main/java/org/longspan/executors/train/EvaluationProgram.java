package org.longspan.executors.train;

import java.io.IOException;
import java.io.UncheckedIOException;
import org.longspan.datapipeline.dataset.Dataset;
import org.longspan.datapipeline.dataset.Split;
import org.longspan.executors.checkpoint.Checkpoint;
import org.longspan.executors.configuration.Options;
import org.longspan.executors.kernel.KernelChoice;

/**
 * Evaluates a checkpoint: the loss over a dataset's validation split, over any mesh. Rank 0 reports
 * it.
 */
public final class EvaluationProgram implements RankProgram {
  private static final long serialVersionUID = 1L;

  private final String checkpoint;
  private final String data;
  private final KernelChoice kernel;

  /**
   * @param checkpoint its folder, or a run's
   * @param data the dataset's folder
   * @param kernel computes the attention, whatever the run that wrote the checkpoint used
   */
  public EvaluationProgram(String checkpoint, String data, KernelChoice kernel) {
    this.checkpoint = checkpoint;
    this.data = data;
    this.kernel = kernel;
  }

  @Override
  public void run(RankContext context) {
    Dataset dataset = Dataset.open(context.hadoop(), data);
    Checkpoint opened = Checkpoint.open(context.hadoop(), checkpoint);
    dataset.requireTokenizer(opened.manifest().tokenizer(), opened.manifest().vocabulary());
    try (RankSetup setup =
        new RankSetup(
            opened.configuration().with(Options.KERNEL, kernel),
            opened.shape(),
            context.mesh(),
            context.transport(),
            context.threads(),
            dataset.manifest().sequenceLength(),
            RankSetup.BLOCK)) {
      opened.readParameters(setup.model());
      context.report(RankEvent.Ready.of(context, setup.description()));
      Validation.Result result =
          Validation.over(dataset.split(Split.VALIDATION), setup, context.mesh(), RankSetup.BLOCK);
      if (setup.rank().number() == 0) {
        context.report(
            new RankEvent.Validation(opened.manifest().step(), result.loss(), result.tokens()));
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e.getMessage(), e);
    }
  }
}
