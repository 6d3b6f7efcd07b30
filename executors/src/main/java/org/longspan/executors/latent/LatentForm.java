package org.longspan.executors.latent;

/** How latent attention is cut over tensor ranks. */
public enum LatentForm {
  /** By heads: each rank has some heads and the whole latent. */
  MLA,
  /** By the latent: each group of its columns is attended to by every head, and outputs add up. */
  TPLA,
  /** As TPLA, with a norm and a gain of each group's own, outputs over the root of the groups. */
  MLRA
}
