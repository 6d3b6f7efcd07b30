package org.longspan.executors.generate;

import java.util.Optional;
import java.util.OptionalInt;
import org.longspan.datapipeline.InvalidInputException;
import org.longspan.executors.latent.CacheSplit;
import org.longspan.executors.latent.LatentForm;
import org.longspan.executors.latent.LatentNames;
import org.longspan.executors.latent.LatentReading;
import org.longspan.executors.model.ModelShape;

/**
 * How a model is laid out to write.
 *
 * @param tensorRanks that share it; empty for as many as trained it
 * @param split how they share the cache of latent mixers
 * @param prompts how latent mixers read prompts; empty for what the checkpoint says
 */
public record GeneratorOptions(
    OptionalInt tensorRanks, CacheSplit split, Optional<LatentReading> prompts) {
  /** One rank, as the checkpoint says. */
  public static final GeneratorOptions ONE_RANK =
      new GeneratorOptions(OptionalInt.of(1), CacheSplit.FORM, Optional.empty());

  /**
   * Refuses a model that cannot be laid out so.
   *
   * @param ranks that share it
   * @throws InvalidInputException saying what would do
   */
  void check(ModelShape shape, int ranks) {
    shape.requireSplit(ranks, "--tensor-ranks");
    if (split == CacheSplit.TOKENS && !isLatent(shape, LatentForm.MLA)) {
      throw new InvalidInputException(
          "A cache split by tokens is for latent mixers of form mla, and this model has "
              + mixers(shape)
              + "; use --cache form.");
    }
    if (prompts.isPresent()
        && prompts.get() == LatentReading.MLA
        && !isLatent(shape, LatentForm.MLA)
        && !isLatent(shape, LatentForm.TPLA)) {
      throw new InvalidInputException(
          "Prompts are read in the form mla by latent mixers of form mla or tpla, and this model"
              + " has "
              + mixers(shape)
              + "; use --prompts form.");
    }
  }

  private static boolean isLatent(ModelShape shape, LatentForm form) {
    return shape.latent() != null && shape.latent().form() == form;
  }

  private static String mixers(ModelShape shape) {
    return shape.latent() == null ? "none" : LatentNames.of(shape.latent().form());
  }
}
