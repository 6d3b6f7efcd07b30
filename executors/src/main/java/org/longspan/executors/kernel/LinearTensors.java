package org.longspan.executors.kernel;

import org.longspan.executors.memory.Matrix;

/**
 * What a linear attention reads for each token, or the gradients of that.
 *
 * @param q {@code [tokens, heads · keyWidth]}
 * @param k {@code [tokens, heads · keyWidth]}
 * @param v {@code [tokens, heads · valueWidth]}
 * @param gates logs of the decay before each token, at most 0: {@code [tokens, heads · keyWidth]}
 *     for a gate for each key column, {@code [tokens, heads]} for one a head; null where the decay
 *     is constant
 * @param beta {@code [tokens, heads]}, how much of a key's old value is replaced; null outside the
 *     delta rule
 */
public record LinearTensors(Matrix q, Matrix k, Matrix v, Matrix gates, Matrix beta) {

  /** Of a constant decay. */
  public static LinearTensors of(Matrix q, Matrix k, Matrix v) {
    return new LinearTensors(q, k, v, null, null);
  }

  LinearTensors withoutQueries() {
    return new LinearTensors(null, k, v, gates, beta);
  }

  LinearTensors withoutKeys() {
    return new LinearTensors(q, null, v, gates, beta);
  }

  LinearTensors withoutValues() {
    return new LinearTensors(q, k, null, gates, beta);
  }

  /** The tokens {@code [from, to)}, shared. */
  public LinearTensors rows(long from, long to) {
    return new LinearTensors(
        q.rows(from, to),
        k.rows(from, to),
        v.rows(from, to),
        gates == null ? null : gates.rows(from, to),
        beta == null ? null : beta.rows(from, to));
  }
}
