package org.longspan.executors.latent;

import java.util.Locale;

/** What constants are called in files and on the command line. */
public final class LatentNames {
  private LatentNames() {}

  /** The constant's name as users write it. */
  public static String of(Enum<?> constant) {
    return constant.name().toLowerCase(Locale.ROOT);
  }
}
