package org.longspan.executors.configuration;

import org.longspan.datapipeline.InvalidInputException;
import org.longspan.executors.latent.LatentForm;
import org.longspan.executors.latent.LatentReading;
import org.longspan.executors.memory.Precision;

/** Refuses values that do not go together. */
final class Consistency {
  private Consistency() {}

  static void check(RunConfiguration configuration) {
    checkDivides(configuration, Options.MODEL_WIDTH, Options.MODEL_HEADS);
    checkLatent(configuration);
    TensorSplit.check(
        configuration.get(Options.MODEL_PATTERN),
        Derived.latent(configuration),
        configuration.get(Options.MODEL_HEADS),
        Derived.feedForward(configuration),
        configuration.get(Options.MESH_TENSOR),
        Options.MESH_TENSOR.key());
    checkDivides(configuration, Options.DATA_BATCH, Options.MESH_DATA);
    if (configuration.get(Options.KERNEL).needsDevice()
        && configuration.get(Options.PRECISION) == Precision.DOUBLE) {
      throw new InvalidInputException(
          "kernel is aparapi and precision is double; aparapi computes in float, so use kernel cpu"
              + " or precision float.");
    }
    checkFaultStrikes(configuration);
    if (configuration.get(Options.EXCHANGE_CUT) && configuration.get(Options.DETERMINISTIC)) {
      throw new InvalidInputException(
          "exchange.cut and deterministic are both true; a cut exchange makes results depend on"
              + " mesh.sequence, so set one of them to false.");
    }
  }

  private static void checkLatent(RunConfiguration configuration) {
    if (!configuration.get(Options.MODEL_PATTERN).contains(MixerKind.LATENT)) {
      return;
    }
    int groups = configuration.get(Options.MODEL_LATENT_GROUPS);
    if (configuration.get(Options.MODEL_LATENT_FORM) == LatentForm.MLA && groups > 1) {
      throw new InvalidInputException(
          "model.latent.groups is "
              + groups
              + " and model.latent.form is mla, which has one group; set model.latent.groups to 1 or"
              + " model.latent.form to tpla or mlra.");
    }
    if (configuration.get(Options.MODEL_LATENT_FORM) == LatentForm.MLRA
        && configuration.get(Options.MODEL_LATENT_PROMPTS) == LatentReading.MLA) {
      throw new InvalidInputException(
          "model.latent.prompts is mla and model.latent.form is mlra, which cannot be read as mla;"
              + " set model.latent.prompts to form.");
    }
    int rank = Derived.latentRank(configuration);
    if (rank % groups != 0) {
      throw new InvalidInputException(
          String.format(
              "model.latent.rank is %d, which is no multiple of model.latent.groups, %d; %d would"
                  + " do.",
              rank, groups, (rank / groups + 1) * groups));
    }
    int rope = configuration.get(Options.MODEL_LATENT_ROPE);
    if (rope % 2 != 0) {
      throw new InvalidInputException(
          String.format(
              "model.latent.rope is %d; rotary positions turn pairs of columns, so %d would do.",
              rope, rope + 1));
    }
  }

  private static void checkFaultStrikes(RunConfiguration configuration) {
    if (configuration.get(Options.FAULT_KIND) == FaultChoice.NONE) {
      return;
    }
    int rank = configuration.get(Options.FAULT_RANK);
    long ranks =
        (long) configuration.get(Options.MESH_DATA)
            * configuration.get(Options.MESH_SEQUENCE)
            * configuration.get(Options.MESH_TENSOR);
    if (rank >= ranks) {
      throw new InvalidInputException(
          String.format(
              "fault.rank is %d, and mesh.data, mesh.sequence and mesh.tensor make %d ranks, counted from 0.",
              rank, ranks));
    }
    int step = configuration.get(Options.FAULT_STEP);
    int steps = configuration.get(Options.TRAIN_STEPS);
    if (step > steps) {
      throw new InvalidInputException(
          String.format("fault.step is %d, and training ends at train.steps of %d.", step, steps));
    }
  }

  private static void checkDivides(
      RunConfiguration configuration, Option<Integer> whole, Option<Integer> parts) {
    int value = configuration.get(whole);
    int divisor = configuration.get(parts);
    if (value % divisor != 0) {
      throw new InvalidInputException(
          String.format(
              "%s is %d, which is no multiple of %s, %d; %d would do.",
              whole.key(),
              value,
              parts.key(),
              divisor,
              Math.multiplyExact((long) divisor, value / divisor + 1L)));
    }
  }
}
