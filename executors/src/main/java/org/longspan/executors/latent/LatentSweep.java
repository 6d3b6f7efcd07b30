package org.longspan.executors.latent;

import org.longspan.executors.memory.Matrix;

/**
 * One worker's scratch for dense causal attention with keys and values that are expanded from
 * latents, a block of them at a time, for one head and one group: softmax with a running maximum m
 * and sum l, never a {@code tokens × tokens} matrix. With {@code P = exp(S − m − log l)} the
 * backward is {@code dS = P ⊙ (dO Vᵀ − rowsum(dO ⊙ O))}, {@code dQ += dS K}, {@code dK += dSᵀ Q},
 * {@code dV += Pᵀ dO} (FlashAttention-2, arXiv 2307.08691).
 *
 * <p>Threading: one thread at a time.
 */
interface LatentSweep {
  /** For blocks of at most {@code blockLength} queries and keys. */
  static LatentSweep of(LatentShape shape, LatentPlace place, int worker, int blockLength) {
    return switch (place.numerics().precision()) {
      case FLOAT -> new FloatLatentSweep(shape, place, worker, blockLength);
      case DOUBLE -> new DoubleLatentSweep(shape, place, worker, blockLength);
    };
  }

  /**
   * Takes a block of keys: {@code k = [content · keyWeights | rope]}, {@code v = content ·
   * valueWeights}.
   *
   * @param position of the first key
   */
  void expand(Matrix content, Matrix rope, Matrix keyWeights, Matrix valueWeights, long position);

  /**
   * Brings the block of keys to a block of queries.
   *
   * @param position of the first query
   * @param lowest the first position that each query sees
   * @param o {@code [rows, value]}: sums relative to the maxima, added to
   */
  void forward(long position, long[] lowest, Matrix q, Matrix o, Matrix maxima, Matrix sums);

  /** Sets the gradients of the block of keys to zero. */
  void startGradients();

  /** Adds to {@code dq} and to the gradients of the block of keys what a block of queries gives. */
  void backward(
      long position,
      long[] lowest,
      Matrix q,
      Matrix outputGradient,
      Matrix logSums,
      Matrix means,
      Matrix dq);

  /** The gradients of the block of keys, which overwrite what they are put into. */
  void finishGradients(Matrix contentKeys, Matrix rope, Matrix values);

  /** Pairs of a query and a key that have been multiplied, masked ones included. */
  long pairs();
}
