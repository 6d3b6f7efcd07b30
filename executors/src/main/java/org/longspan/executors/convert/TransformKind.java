package org.longspan.executors.convert;

/** How a latent is turned before it is cut into groups. */
public enum TransformKind {
  /** Every column gets a bit of every other, so that groups are alike. */
  HADAMARD,
  /** Along the principal components, the largest first. */
  PCA
}
