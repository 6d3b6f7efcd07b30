package org.longspan.executors.latent;

import org.longspan.executors.memory.Matrix;

/**
 * Rows of queries and what belongs to them, a row for each token.
 *
 * @param queries {@code [rows, heads · keyWidth]}, scaled and rotated
 * @param attended {@code [rows, groups · heads · value]}
 * @param maxima {@code [rows, groups · heads]}: of the scores so far
 * @param logSums {@code [rows, groups · heads]}: logs of the sums of exponentials; before the last
 *     key has been seen, the sums relative to the maxima
 * @param attendedGradient {@code [rows, heads · value]}, the same for every group
 * @param means {@code [rows, groups · heads]}: {@code rowsum(dO ⊙ O)}
 * @param queryGradient {@code [rows, heads · keyWidth]}
 */
record QueryRoom(
    Matrix queries,
    Matrix attended,
    Matrix maxima,
    Matrix logSums,
    Matrix attendedGradient,
    Matrix means,
    Matrix queryGradient) {

  /** The first {@code count} rows. */
  QueryRoom first(long count) {
    return new QueryRoom(
        queries.rows(0, count),
        attended.rows(0, count),
        maxima.rows(0, count),
        logSums.rows(0, count),
        attendedGradient.rows(0, count),
        means.rows(0, count),
        queryGradient.rows(0, count));
  }
}
