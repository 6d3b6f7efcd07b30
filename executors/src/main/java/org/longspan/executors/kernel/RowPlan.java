package org.longspan.executors.kernel;

import static org.longspan.executors.kernel.RowKernel.DECAYS;
import static org.longspan.executors.kernel.RowKernel.GATE_GRADIENTS;
import static org.longspan.executors.kernel.RowKernel.KEY_GRADIENTS;
import static org.longspan.executors.kernel.RowKernel.OUTPUTS;
import static org.longspan.executors.kernel.RowKernel.OUTSIDE;
import static org.longspan.executors.kernel.RowKernel.QUERY_GRADIENTS;
import static org.longspan.executors.kernel.RowKernel.VALUE_GRADIENTS;

import java.util.Arrays;
import java.util.List;

/**
 * Linear attention with decays by rows, see {@link RowKernel}.
 *
 * @param rule without replacing
 */
record RowPlan(DeviceRule rule) implements LinearPlan {
  @Override
  public int chunk() {
    return RowKernel.CHUNK;
  }

  @Override
  public int widest() {
    return RowKernel.MOST_ROWS;
  }

  @Override
  public LinearStages stages() {
    List<Integer> forward = List.of(DECAYS, OUTPUTS);
    return new LinearStages(
        forward,
        forward,
        forward,
        List.of(DECAYS, OUTPUTS + OUTSIDE),
        List.of(DECAYS, VALUE_GRADIENTS),
        stages(DECAYS, VALUE_GRADIENTS, QUERY_GRADIENTS, KEY_GRADIENTS, GATE_GRADIENTS),
        rule == DeviceRule.CONSTANT
            ? List.of(DECAYS, VALUE_GRADIENTS + OUTSIDE, KEY_GRADIENTS + OUTSIDE)
            // The gates' gradient needs the states as well.
            : stages(
                DECAYS,
                VALUE_GRADIENTS + OUTSIDE,
                QUERY_GRADIENTS,
                KEY_GRADIENTS + OUTSIDE,
                GATE_GRADIENTS));
  }

  /** Those that there is something to do in: only a head's gates are summed. */
  private List<Integer> stages(Integer... all) {
    return Arrays.stream(all)
        .filter(stage -> rule == DeviceRule.HEAD_GATES || stage != GATE_GRADIENTS)
        .toList();
  }

  @Override
  public LinearKernel kernel(LinearRoom room) {
    return new LinearRowKernel(room);
  }

  @Override
  public long largestScratch(LinearRoom room) {
    long states = Math.max(room.chunks(), RowKernel.CHUNK) * statesOf(room);
    return Math.max(decays(room), Math.max(gateRows(room), states)) * room.heads();
  }

  private static long decays(LinearRoom room) {
    return (long) room.tokens() * Math.max(1, room.gateWidth());
  }

  private static long gateRows(LinearRoom room) {
    boolean isNeeded = room.hasGradients() && room.gateWidth() == 1;
    return isNeeded ? (long) room.tokens() * room.keyWidth() / RowKernel.BLOCK : 0;
  }

  /** Numbers of one state of a head, where states are kept for the gradients of gates. */
  private static long statesOf(LinearRoom room) {
    boolean isNeeded = room.hasGradients() && room.gateWidth() > 0;
    return isNeeded ? (long) room.keyWidth() * room.valueWidth() : 0;
  }

  @Override
  public long scratch(LinearRoom room) {
    long states = (room.chunks() + RowKernel.CHUNK) * statesOf(room);
    return (decays(room) + gateRows(room) + states) * room.heads();
  }

  /** Each number of a state decays, is added to and read; backward three times, and once more. */
  @Override
  public double operations(LinearRoom room) {
    double forward = 7.0 * room.keyWidth() * room.valueWidth();
    return forward * room.tokens() * room.heads() * (room.hasGradients() ? 5 : 1);
  }
}
