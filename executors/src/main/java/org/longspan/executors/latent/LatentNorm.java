package org.longspan.executors.latent;

/** What the latent's columns are divided by where the latent is cut. */
public enum LatentNorm {
  /** The root mean square of the whole latent. */
  EXACT,
  /** An estimate of it from the group's own columns: their mean square times a constant. */
  LOCAL
}
