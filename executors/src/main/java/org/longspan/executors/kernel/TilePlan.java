package org.longspan.executors.kernel;

import static org.longspan.executors.kernel.LinearTileKernel.GATE_GRADIENTS;
import static org.longspan.executors.kernel.LinearTileKernel.KEY_GRADIENTS;
import static org.longspan.executors.kernel.LinearTileKernel.OUTPUTS;
import static org.longspan.executors.kernel.LinearTileKernel.OUTSIDE;
import static org.longspan.executors.kernel.LinearTileKernel.QUERY_GRADIENTS;
import static org.longspan.executors.kernel.LinearTileKernel.SCAN;
import static org.longspan.executors.kernel.LinearTileKernel.SCAN_GRADIENT;
import static org.longspan.executors.kernel.LinearTileKernel.SUMMARIZE;
import static org.longspan.executors.kernel.LinearTileKernel.SUMMARIZE_GRADIENT;
import static org.longspan.executors.kernel.LinearTileKernel.SUM_LOGS;
import static org.longspan.executors.kernel.LinearTileKernel.VALUE_GRADIENTS;

import java.util.Arrays;
import java.util.List;

/**
 * Linear attention with decays in tiles.
 *
 * @param rule without replacing
 */
record TilePlan(DeviceRule rule) implements LinearPlan {
  @Override
  public int chunk() {
    return LinearTileKernel.CHUNK;
  }

  @Override
  public int widest() {
    return Integer.MAX_VALUE;
  }

  @Override
  public LinearStages stages() {
    List<Integer> state = stages(SUM_LOGS, SUMMARIZE, SCAN);
    return new LinearStages(
        state,
        state,
        stages(SUM_LOGS, SUMMARIZE, SCAN, OUTPUTS),
        stages(SUM_LOGS, SCAN + OUTSIDE, OUTPUTS + OUTSIDE),
        stages(SUM_LOGS, SUMMARIZE_GRADIENT, SCAN_GRADIENT),
        stages(
            SUM_LOGS,
            SUMMARIZE,
            SCAN,
            SUMMARIZE_GRADIENT,
            SCAN_GRADIENT,
            QUERY_GRADIENTS,
            KEY_GRADIENTS,
            VALUE_GRADIENTS,
            GATE_GRADIENTS),
        // The gates' gradient needs the states as well.
        hasGates()
            ? List.of(
                SUM_LOGS,
                SUMMARIZE,
                SCAN,
                SCAN_GRADIENT + OUTSIDE,
                KEY_GRADIENTS + OUTSIDE,
                VALUE_GRADIENTS + OUTSIDE,
                GATE_GRADIENTS + OUTSIDE)
            : List.of(SCAN_GRADIENT + OUTSIDE, KEY_GRADIENTS + OUTSIDE, VALUE_GRADIENTS + OUTSIDE));
  }

  private boolean hasGates() {
    return rule != DeviceRule.CONSTANT;
  }

  /** Those that there is something to do in. */
  private List<Integer> stages(Integer... all) {
    return Arrays.stream(all)
        .filter(stage -> hasGates() || (stage != SUM_LOGS && stage != GATE_GRADIENTS))
        .toList();
  }

  @Override
  public LinearKernel kernel(LinearRoom room) {
    return rule == DeviceRule.KEY_GATES ? new KeyGateKernel(room) : new HeadDecayKernel(room);
  }

  @Override
  public long largestScratch(LinearRoom room) {
    long states = (room.chunks() + 1L) * room.keyWidth() * room.valueWidth();
    long gateRows = 2L * room.tokens() * Math.max(1, room.gateWidth());
    return Math.max(states, gateRows) * room.heads();
  }

  @Override
  public long scratch(LinearRoom room) {
    long states = (room.chunks() + 1L) * room.keyWidth() * room.valueWidth();
    long logs = 2L * room.tokens() * Math.max(1, room.gateWidth());
    return (states + logs) * room.heads() * (room.hasGradients() ? 2 : 1);
  }

  /**
   * Five halves as many backward as forward, where the forward has two products with states and two
   * of pairs in a chunk.
   */
  @Override
  public double operations(LinearRoom room) {
    int widths = room.keyWidth() + room.valueWidth();
    double forward = 4.0 * room.keyWidth() * room.valueWidth() + 2.0 * chunk() * widths;
    return forward * room.tokens() * room.heads() * (room.hasGradients() ? 3.5 : 1);
  }
}
