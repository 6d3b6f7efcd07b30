package org.longspan.executors.latent;

/** How tensor ranks share the cache of a latent attention. */
public enum CacheSplit {
  /** As the form lies on ranks: of MLA each keeps the whole latent, of TPLA and MLRA its groups. */
  FORM,
  /**
   * Each of T ranks keeps the whole latent of every T-th token, which gives what one rank gives.
   */
  TOKENS
}
