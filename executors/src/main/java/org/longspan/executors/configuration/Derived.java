package org.longspan.executors.configuration;

import org.longspan.executors.latent.LatentForm;
import org.longspan.executors.latent.LatentNorm;
import org.longspan.executors.latent.LatentShape;

/** What follows from several options, or from one where another leaves it open. */
public final class Derived {
  private static final double ROTARY_BASE = 10_000;
  private static final double EPSILON = 1e-6;
  private static final int ROUND_FEED_FORWARD_TO = 64;

  private Derived() {}

  /** Hidden columns of the feed-forward part. */
  public static int feedForward(RunConfiguration configuration) {
    int asked = configuration.get(Options.MODEL_FEED_FORWARD);
    int width = configuration.get(Options.MODEL_WIDTH);
    int derived =
        (8 * width / 3 + ROUND_FEED_FORWARD_TO - 1) / ROUND_FEED_FORWARD_TO * ROUND_FEED_FORWARD_TO;
    return asked == 0 ? derived : asked;
  }

  /** The sizes of latent mixers; null where the model has none. They are to go together. */
  public static LatentShape latent(RunConfiguration configuration) {
    if (!configuration.get(Options.MODEL_PATTERN).contains(MixerKind.LATENT)) {
      return null;
    }
    int width = configuration.get(Options.MODEL_WIDTH);
    int heads = configuration.get(Options.MODEL_HEADS);
    LatentForm form = configuration.get(Options.MODEL_LATENT_FORM);
    int nope = or(configuration.get(Options.MODEL_LATENT_NOPE), width / heads);
    return new LatentShape(
        width,
        heads,
        configuration.get(Options.MODEL_LATENT_QUERY_RANK),
        latentRank(configuration),
        nope,
        or(configuration.get(Options.MODEL_LATENT_ROPE), (nope + 3) / 4 * 2),
        or(configuration.get(Options.MODEL_LATENT_VALUE), width / heads),
        form,
        form == LatentForm.MLRA ? LatentNorm.LOCAL : configuration.get(Options.MODEL_LATENT_NORM),
        configuration.get(Options.MODEL_LATENT_GROUPS),
        ROTARY_BASE,
        EPSILON);
  }

  /** Columns of a latent mixer's latent of keys and values. */
  static int latentRank(RunConfiguration configuration) {
    int width = configuration.get(Options.MODEL_WIDTH) / configuration.get(Options.MODEL_HEADS);
    int nope = or(configuration.get(Options.MODEL_LATENT_NOPE), width);
    return or(configuration.get(Options.MODEL_LATENT_RANK), 4 * nope);
  }

  private static int or(int asked, int otherwise) {
    return asked == 0 ? otherwise : asked;
  }
}
