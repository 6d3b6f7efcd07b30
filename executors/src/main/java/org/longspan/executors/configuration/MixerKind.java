package org.longspan.executors.configuration;

/** What mixes the tokens of a sequence in one block of the model. */
public enum MixerKind {
  /** Linear attention whose state decays by a constant for each head (arXiv 2401.04658). */
  LIGHTNING,
  /** Linear attention with a gate for each head and token (Mamba-2's, arXiv 2405.21060). */
  SIMPLE_GLA,
  /** Linear attention with a gate for each key column and token (arXiv 2312.06635). */
  GLA,
  /** The gated delta rule: a key's old value is replaced (arXiv 2412.06464). */
  GATED_DELTA,
  /** Softmax attention over a causal sliding window. */
  LOCAL,
  /**
   * Softmax attention over all tokens before, its keys and values in a small latent (arXiv
   * 2405.04434).
   */
  LATENT;
}
