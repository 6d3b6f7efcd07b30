package org.longspan.executors.train;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.Map;
import org.longspan.datapipeline.dataset.Dataset;
import org.longspan.datapipeline.dataset.DatasetSplit;
import org.longspan.datapipeline.dataset.Split;
import org.longspan.executors.checkpoint.Checkpoint;
import org.longspan.executors.checkpoint.CheckpointManifest;
import org.longspan.executors.checkpoint.Checkpoints;
import org.longspan.executors.configuration.RunConfiguration;
import org.longspan.executors.convert.LatentCalibration;
import org.longspan.executors.convert.LatentConversion;
import org.longspan.executors.convert.TransformKind;
import org.longspan.executors.memory.Arena;
import org.longspan.executors.memory.Matrix;
import org.longspan.executors.model.LanguageModel;
import org.longspan.executors.model.ModelShape;

/**
 * Converts an MLA checkpoint to TPLA on one rank, calibrated on sequences of the training split,
 * and writes it with an optimizer at rest. Reports the validation loss before, then after.
 */
public final class ConversionProgram implements RankProgram {
  private static final long serialVersionUID = 1L;

  private final String checkpoint;
  private final String data;
  private final String output;
  private final RunConfiguration converted;
  private final TransformKind kind;
  private final long seed;
  private final int sequences;

  /**
   * @param checkpoint its folder, or a run's
   * @param data the dataset that it was trained on
   * @param output the new run's folder
   * @param converted the new run's configuration
   * @param kind of the transform
   * @param seed of a Hadamard transform's signs
   * @param sequences of the training split to calibrate on, at most
   */
  public ConversionProgram(
      String checkpoint,
      String data,
      String output,
      RunConfiguration converted,
      TransformKind kind,
      long seed,
      int sequences) {
    this.checkpoint = checkpoint;
    this.data = data;
    this.output = output;
    this.converted = converted;
    this.kind = kind;
    this.seed = seed;
    this.sequences = sequences;
  }

  @Override
  public void run(RankContext context) {
    Dataset dataset = Dataset.open(context.hadoop(), data);
    Checkpoint opened = Checkpoint.open(context.hadoop(), checkpoint);
    opened.requireData(dataset.manifest());
    CheckpointManifest manifest = opened.manifest();
    LatentCalibration calibration = new LatentCalibration();
    try {
      try (RankSetup setup = setup(opened.configuration(), opened.shape(), dataset, context)) {
        opened.readParameters(setup.model());
        context.report(RankEvent.Ready.of(context, setup.description()));
        setup.environment().watchLatents(calibration);
        calibrate(setup, dataset.split(Split.TRAIN));
        setup.environment().watchLatents(null);
        validate(setup, dataset, context, manifest.step());
      }
      ModelShape shape = ModelShape.of(converted, manifest.vocabulary());
      try (RankSetup setup = setup(converted, shape, dataset, context);
          Arena arena = new Arena("converted", setup.model().precision())) {
        LanguageModel model = setup.model();
        Map<String, Matrix> parameters = opened.readParameters(arena);
        new LatentConversion(kind, seed).apply(parameters, calibration.statistics(), model);
        Checkpoints.of(context.hadoop(), output)
            .write(model, converted, dataset.manifest(), manifest.step(), manifest.samples());
        validate(setup, dataset, context, manifest.step());
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e.getMessage(), e);
    }
  }

  private static RankSetup setup(
      RunConfiguration configuration, ModelShape shape, Dataset dataset, RankContext context) {
    return new RankSetup(
        configuration,
        shape,
        context.mesh(),
        context.transport(),
        context.threads(),
        dataset.manifest().sequenceLength(),
        RankSetup.BLOCK);
  }

  private void calibrate(RankSetup setup, DatasetSplit split) {
    try (SliceReader reader = new SliceReader(split.reader(), RankSetup.BLOCK, 0, 1)) {
      for (long sequence = 0; sequence < Math.min(sequences, split.sequences()); sequence++) {
        setup.model().loss(reader.read(sequence));
      }
    }
  }

  private static void validate(RankSetup setup, Dataset dataset, RankContext context, long step) {
    Validation.Result result =
        Validation.over(dataset.split(Split.VALIDATION), setup, context.mesh(), RankSetup.BLOCK);
    context.report(new RankEvent.Validation(step, result.loss(), result.tokens()));
  }
}
