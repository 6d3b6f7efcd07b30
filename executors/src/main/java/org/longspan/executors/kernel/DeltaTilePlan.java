package org.longspan.executors.kernel;

import static org.longspan.executors.kernel.DeltaKernel.CORRELATE;
import static org.longspan.executors.kernel.DeltaKernel.CORRELATION_GRADIENTS;
import static org.longspan.executors.kernel.DeltaKernel.GATE_GRADIENTS;
import static org.longspan.executors.kernel.DeltaKernel.KEY_GRADIENTS;
import static org.longspan.executors.kernel.DeltaKernel.KEY_READS;
import static org.longspan.executors.kernel.DeltaKernel.OUTPUTS;
import static org.longspan.executors.kernel.DeltaKernel.OUTSIDE;
import static org.longspan.executors.kernel.DeltaKernel.QUERY_GRADIENTS;
import static org.longspan.executors.kernel.DeltaKernel.RESIDUALS;
import static org.longspan.executors.kernel.DeltaKernel.SCAN;
import static org.longspan.executors.kernel.DeltaKernel.SCAN_GRADIENT;
import static org.longspan.executors.kernel.DeltaKernel.SCAN_TRANSITION;
import static org.longspan.executors.kernel.DeltaKernel.SCORED_GRADIENTS;
import static org.longspan.executors.kernel.DeltaKernel.SCORES;
import static org.longspan.executors.kernel.DeltaKernel.SCORE_GRADIENTS;
import static org.longspan.executors.kernel.DeltaKernel.SOLVE_GRADIENTS;
import static org.longspan.executors.kernel.DeltaKernel.SOLVE_KEYS;
import static org.longspan.executors.kernel.DeltaKernel.SOLVE_KEYS_BACK;
import static org.longspan.executors.kernel.DeltaKernel.SOLVE_VALUES;
import static org.longspan.executors.kernel.DeltaKernel.SUMMARIZE;
import static org.longspan.executors.kernel.DeltaKernel.SUMMARIZE_GRADIENT;
import static org.longspan.executors.kernel.DeltaKernel.SUM_LOGS;
import static org.longspan.executors.kernel.DeltaKernel.TRANSITIONS;
import static org.longspan.executors.kernel.DeltaKernel.VALUE_GRADIENTS;

import java.util.List;
import java.util.stream.Stream;

/** The gated delta rule in tiles, see {@link DeltaKernel}. */
record DeltaTilePlan() implements LinearPlan {
  /** The chunks' triangular systems and what states pass them by. */
  private static final List<Integer> SOLVE = List.of(SUM_LOGS, CORRELATE, SOLVE_KEYS, TRANSITIONS);

  /** The states before all chunks, after {@link #SOLVE}. */
  private static final List<Integer> PASS = List.of(SOLVE_VALUES, SUMMARIZE, SCAN);

  /** The gradients of the states after all chunks, after {@link #SOLVE}. */
  private static final List<Integer> PASS_BACK =
      List.of(SCORES, SCORED_GRADIENTS, SOLVE_GRADIENTS, SUMMARIZE_GRADIENT, SCAN_GRADIENT);

  @Override
  public int chunk() {
    return DeltaKernel.CHUNK;
  }

  @Override
  public int widest() {
    return DeltaKernel.MOST_ROWS;
  }

  @Override
  public LinearStages stages() {
    return new LinearStages(
        joined(SOLVE, PASS),
        joined(SOLVE, PASS, List.of(SCAN_TRANSITION)),
        joined(SOLVE, PASS, List.of(RESIDUALS, SCORES, OUTPUTS)),
        joined(SOLVE, List.of(SCAN + OUTSIDE, RESIDUALS + OUTSIDE, SCORES, OUTPUTS)),
        joined(SOLVE, PASS_BACK),
        joined(
            joined(SOLVE, PASS),
            PASS_BACK,
            List.of(
                RESIDUALS,
                SOLVE_KEYS_BACK,
                VALUE_GRADIENTS,
                SCORE_GRADIENTS,
                CORRELATION_GRADIENTS,
                QUERY_GRADIENTS,
                KEY_READS,
                KEY_GRADIENTS,
                GATE_GRADIENTS)),
        joined(
            SOLVE,
            PASS,
            List.of(
                RESIDUALS,
                SOLVE_KEYS_BACK,
                SCAN_GRADIENT + OUTSIDE,
                VALUE_GRADIENTS + OUTSIDE,
                CORRELATION_GRADIENTS,
                KEY_READS,
                KEY_GRADIENTS + OUTSIDE,
                GATE_GRADIENTS + OUTSIDE)));
  }

  private static List<Integer> joined(List<Integer> first, List<Integer> second) {
    return Stream.of(first, second).flatMap(List::stream).toList();
  }

  private static List<Integer> joined(
      List<Integer> first, List<Integer> second, List<Integer> third) {
    return joined(joined(first, second), third);
  }

  @Override
  public LinearKernel kernel(LinearRoom room) {
    return DeltaTileKernel.of(room);
  }

  @Override
  public long largestScratch(LinearRoom room) {
    long widest = Math.max(room.keyWidth(), room.valueWidth());
    long ofTokens = Math.max(widest, 2L * DeltaKernel.CHUNK) * 2 * room.tokens();
    long ofChunks = (long) room.chunks() * room.keyWidth() * widest;
    return Math.max(ofTokens, ofChunks) * room.heads();
  }

  @Override
  public long scratch(LinearRoom room) {
    long sides = room.hasGradients() ? 2 : 1;
    long ofToken =
        sides * ((long) room.keyWidth() + room.valueWidth())
            + 2 * sides * DeltaKernel.CHUNK
            + (room.hasGradients() ? 7 : 2);
    long ofChunk = (long) room.keyWidth() * (room.keyWidth() + sides * room.valueWidth());
    return (room.tokens() * ofToken + room.chunks() * ofChunk) * room.heads();
  }

  /**
   * Forward three products with states, one of the transitions and those of pairs in a chunk; five
   * halves as many backward, which does the forward's again.
   */
  @Override
  public double operations(LinearRoom room) {
    double forward =
        6.0 * room.keyWidth() * room.valueWidth()
            + 2.0 * room.keyWidth() * room.keyWidth()
            + 4.0 * DeltaKernel.CHUNK * (room.keyWidth() + room.valueWidth());
    return forward * room.tokens() * room.heads() * (room.hasGradients() ? 3.5 : 1);
  }
}
