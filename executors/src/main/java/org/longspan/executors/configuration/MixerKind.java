package org.longspan.executors.configuration;

/** What mixes the tokens of a sequence in one block of the model. */
public enum MixerKind {
  /** Linear attention whose state decays by a constant for each head (arXiv 2401.04658). */
  LIGHTNING,
  /** Softmax attention over a causal sliding window. */
  LOCAL
}
