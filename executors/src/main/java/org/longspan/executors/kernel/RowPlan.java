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
    long decays = (long) room.tokens() * Math.max(1, room.gateWidth());
    long gateRows = (long) room.tokens() * room.keyWidth() / RowKernel.BLOCK;
    long states =
        Math.max(room.chunks(), RowKernel.CHUNK) * (long) room.keyWidth() * room.valueWidth();
    return Math.max(decays, room.hasGradients() ? Math.max(gateRows, states) : 0) * room.heads();
  }

  @Override
  public long scratch(LinearRoom room) {
    long decays = (long) room.tokens() * Math.max(1, room.gateWidth());
    long gateRows = (long) room.tokens() * room.keyWidth() / RowKernel.BLOCK;
    long states = (long) (room.chunks() + RowKernel.CHUNK) * room.keyWidth() * room.valueWidth();
    return (decays + (room.hasGradients() ? gateRows + states : 0)) * room.heads();
  }

  /** Each number of a state decays, is added to and read; backward three times, and once more. */
  @Override
  public double operations(LinearRoom room) {
    double forward = 7.0 * room.keyWidth() * room.valueWidth();
    return forward * room.tokens() * room.heads() * (room.hasGradients() ? 5 : 1);
  }
}
