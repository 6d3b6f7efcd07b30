package org.longspan.executors.configuration;

import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.longspan.datapipeline.InvalidInputException;
import org.longspan.executors.latent.LatentForm;
import org.longspan.executors.latent.LatentShape;

/** Refuses tensor ranks over which a model cannot be split. */
public final class TensorSplit {
  /** Any number of ranks divides it. */
  private static final int NO_LIMIT = 0;

  private TensorSplit() {}

  /**
   * Whether heads, groups of latents and hidden columns can be split over {@code ranks}.
   *
   * @param latent null where no mixer is latent
   * @param option by which ranks are asked for
   * @throws InvalidInputException where they cannot; it says what would do
   */
  public static void check(
      List<MixerKind> pattern,
      LatentShape latent,
      int heads,
      int feedForward,
      int ranks,
      String option) {
    int ofHeads = isByHeads(pattern, latent) ? heads : NO_LIMIT;
    int ofGroups = latent != null && latent.form() != LatentForm.MLA ? latent.groups() : NO_LIMIT;
    requireEqualShares("model.heads", ofHeads, ofGroups, ranks, option);
    requireEqualShares("model.latent.groups", ofGroups, ofHeads, ranks, option);
    checkShares("model.feed-forward", feedForward, ranks, option);
  }

  /** What else is shared equally limits what would do. */
  private static void requireEqualShares(
      String what, int number, int alsoShared, int ranks, String option) {
    if (number % ranks != 0) {
      throw new InvalidInputException(
          String.format(
              "%d tensor ranks cannot share %s of %d equally; %s would do for %s.",
              ranks, what, number, divisors(number, alsoShared), option));
    }
  }

  /** Whether any mixer lies on tensor ranks by heads. */
  private static boolean isByHeads(List<MixerKind> pattern, LatentShape latent) {
    return pattern.stream()
        .anyMatch(
            mixer ->
                switch (mixer) {
                  case LIGHTNING, SIMPLE_GLA, GLA, GATED_DELTA, LOCAL -> true;
                  case LATENT -> latent.form() == LatentForm.MLA;
                });
  }

  /** Whether each of {@code ranks}, asked for by {@code option}, gets some of a vocabulary. */
  public static void checkVocabulary(int vocabulary, int ranks, String option) {
    checkShares("the vocabulary", vocabulary, ranks, option);
  }

  private static void checkShares(String what, int whole, int ranks, String option) {
    if (whole < ranks) {
      throw new InvalidInputException(
          String.format(
              "%d tensor ranks cannot each have a share of %s of %d; up to %d would do for %s.",
              ranks, what, whole, whole, option));
    }
  }

  private static String divisors(int number, int alsoDivided) {
    List<String> all =
        IntStream.rangeClosed(1, number)
            .filter(divisor -> number % divisor == 0 && alsoDivided % divisor == 0)
            .mapToObj(Integer::toString)
            .toList();
    int last = all.size() - 1;
    return last == 0
        ? all.get(0)
        : all.subList(0, last).stream().collect(Collectors.joining(", ")) + " or " + all.get(last);
  }
}
