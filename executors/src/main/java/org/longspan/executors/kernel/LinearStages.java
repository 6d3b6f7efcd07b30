package org.longspan.executors.kernel;

import java.util.List;

/**
 * The stages of a kernel that each call of a {@link LinearAttention} needs, in order.
 *
 * @param summarizePassing {@code summarize} where a state passes through the slice, so that its
 *     transition counts
 */
record LinearStages(
    List<Integer> summarize,
    List<Integer> summarizePassing,
    List<Integer> forward,
    List<Integer> addIncoming,
    List<Integer> summarizeGradient,
    List<Integer> backward,
    List<Integer> addIncomingGradient) {}
