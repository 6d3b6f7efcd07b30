package org.longspan.executors.latent;

/** How latent attention reads a token when it generates. */
public enum LatentReading {
  /** As its form says. */
  FORM,
  /**
   * As MLA, with the weights of TPLA: one softmax for each head over the whole latent, under its
   * exact norm, without the scales of groups. A converted model then does what it did before. What
   * is kept of the token is what TPLA reads on from.
   */
  MLA
}
