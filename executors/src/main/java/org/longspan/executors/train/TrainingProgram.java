package org.longspan.executors.train;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Supplier;
import org.longspan.datapipeline.dataset.Dataset;
import org.longspan.datapipeline.dataset.DatasetSplit;
import org.longspan.datapipeline.dataset.Split;
import org.longspan.executors.checkpoint.Checkpoint;
import org.longspan.executors.checkpoint.Checkpoints;
import org.longspan.executors.configuration.Options;
import org.longspan.executors.configuration.RunConfiguration;
import org.longspan.executors.layer.SliceInput;
import org.longspan.executors.model.ModelShape;
import org.longspan.parallelism.mesh.Mesh;

/**
 * Trains: what every rank of a training run does. The first attempt starts anew, or from the run's
 * last checkpoint where it is to resume; every later attempt goes on from the last one committed.
 */
public final class TrainingProgram implements RankProgram {
  private static final long serialVersionUID = 1L;

  private final RunConfiguration configuration;
  private final String run;
  private final StartFrom startFrom;

  /** Where the first attempt starts. */
  public enum StartFrom {
    NOTHING,
    LAST_CHECKPOINT
  }

  /**
   * @param run the folder of the run, on any Hadoop file system
   */
  public TrainingProgram(RunConfiguration configuration, String run, StartFrom startFrom) {
    this.configuration = configuration;
    this.run = run;
    this.startFrom = startFrom;
  }

  @Override
  public void run(RankContext context) {
    Dataset dataset = Dataset.open(context.hadoop(), configuration.required(Options.DATA_PATH));
    int vocabulary = dataset.manifest().vocabulary();
    Mesh mesh = context.mesh();
    InjectedFault fault = InjectedFault.of(configuration, context);
    try (RankSetup setup =
        new RankSetup(
            configuration,
            ModelShape.of(configuration, vocabulary),
            mesh,
            fault.transport(),
            context.threads(),
            dataset.manifest().sequenceLength(),
            RankSetup.BLOCK)) {
      context.report(RankEvent.Ready.of(context, setup.description()));
      new Attempt(context, dataset, setup, fault).train();
    } catch (IOException e) {
      throw new UncheckedIOException(e.getMessage(), e);
    }
  }

  /** One attempt's state. */
  private final class Attempt {
    private final RankContext context;
    private final Dataset dataset;
    private final RankSetup setup;
    private final InjectedFault fault;
    private final Checkpoints checkpoints;
    private final boolean first;
    private int step;
    private long samples;

    Attempt(RankContext context, Dataset dataset, RankSetup setup, InjectedFault fault)
        throws IOException {
      this.fault = fault;
      this.context = context;
      this.dataset = dataset;
      this.setup = setup;
      this.checkpoints = Checkpoints.of(context.hadoop(), run);
      this.first = setup.rank().number() == 0;
    }

    void train() throws IOException {
      resume();
      int steps = configuration.get(Options.TRAIN_STEPS);
      DatasetSplit split = dataset.split(Split.TRAIN);
      DataOrder order = new DataOrder(split.sequences(), configuration.get(Options.SEED));
      TrainingStep training = new TrainingStep(setup, configuration.get(Options.TRAIN_CLIP));
      try (SliceReader reader =
          new SliceReader(
              split.reader(),
              RankSetup.BLOCK,
              setup.rank().sequence(),
              context.mesh().sequence())) {
        while (step < steps) {
          stopIfInterrupted();
          fault.begin(step + 1);
          long before = System.nanoTime();
          TrainingStep.Result result = training.run(slices(reader, order), step);
          step++;
          double seconds = (System.nanoTime() - before) / 1e9;
          report(
              new RankEvent.Step(
                  step,
                  result.loss(),
                  result.tokens(),
                  seconds,
                  result.gradientNorm(),
                  result.learningRate()));
          requireFinite(result);
          if (due(Options.TRAIN_VALIDATE_EVERY, steps)) {
            validate();
          }
          if (due(Options.TRAIN_CHECKPOINT_EVERY, steps)) {
            save();
          }
        }
      }
    }

    private void stopIfInterrupted() {
      if (Thread.currentThread().isInterrupted()) {
        throw new IllegalStateException(
            "Rank " + setup.rank().number() + " was interrupted before step " + (step + 1));
      }
    }

    private void requireFinite(TrainingStep.Result result) {
      if (!Double.isFinite(result.loss()) || !Double.isFinite(result.gradientNorm())) {
        throw new org.longspan.datapipeline.InvalidInputException(
            "Training diverged at step "
                + step
                + ": the loss is "
                + result.loss()
                + " and the gradient's norm "
                + result.gradientNorm()
                + "; a lower train.learning-rate may do, or train.clip where it is 0.");
      }
    }

    private List<Supplier<SliceInput>> slices(SliceReader reader, DataOrder order) {
      int batch = configuration.get(Options.DATA_BATCH);
      int rounds = configuration.get(Options.TRAIN_ACCUMULATE);
      int replicas = context.mesh().data();
      List<Supplier<SliceInput>> own = new ArrayList<>();
      for (int i = setup.rank().data(); i < batch * rounds; i += replicas) {
        long sequence = order.sequence(samples + i);
        own.add(() -> reader.read(sequence));
      }
      samples += (long) batch * rounds;
      return own;
    }

    private boolean due(org.longspan.executors.configuration.Option<Integer> every, int steps) {
      int interval = configuration.get(every);
      return step == steps || (interval > 0 && step % interval == 0);
    }

    private void validate() {
      if (dataset.contains(Split.VALIDATION)) {
        Validation.Result result =
            Validation.over(
                dataset.split(Split.VALIDATION), setup, context.mesh(), RankSetup.BLOCK);
        report(new RankEvent.Validation(step, result.loss(), result.tokens()));
      }
    }

    private void save() throws IOException {
      if (setup.rank().data() == 0 && setup.rank().sequence() == 0) {
        String path =
            checkpoints.write(setup.model(), configuration, dataset.manifest(), step, samples);
        report(new RankEvent.Checkpoint(step, path));
      }
    }

    private void report(RankEvent event) {
      if (first) {
        context.report(event);
      }
    }

    /**
     * Rank 0 looks which checkpoint is the last; all take that one, whatever is committed
     * meanwhile.
     */
    private void resume() throws IOException {
      if (context.attempt() == 0 && startFrom == StartFrom.NOTHING) {
        return;
      }
      double[] found = {0};
      if (first) {
        Optional<Checkpoint> latest = checkpoints.latest();
        if (latest.isPresent()) {
          found[0] = latest.get().manifest().step();
        }
      }
      setup.everyone().allReduce(found);
      if (found[0] == 0) {
        return;
      }
      Checkpoint checkpoint = checkpoints.at((long) found[0]);
      checkpoint.requireData(dataset.manifest());
      checkpoint.readParameters(setup.model());
      checkpoint.readOptimizer(setup.model());
      step = Math.toIntExact(checkpoint.manifest().step());
      samples = checkpoint.manifest().samples();
      report(new RankEvent.Resumed(context.attempt(), step, checkpoint.path()));
    }
  }
}
