package org.longspan.executors.kernel;

import static org.longspan.executors.kernel.RowKernel.DECAYS;
import static org.longspan.executors.kernel.RowKernel.GATE_GRADIENTS;
import static org.longspan.executors.kernel.RowKernel.KEY_GRADIENTS;
import static org.longspan.executors.kernel.RowKernel.OUTPUTS;
import static org.longspan.executors.kernel.RowKernel.OUTSIDE;
import static org.longspan.executors.kernel.RowKernel.QUERY_GRADIENTS;
import static org.longspan.executors.kernel.RowKernel.TRANSITION;
import static org.longspan.executors.kernel.RowKernel.VALUE_GRADIENTS;

import java.util.List;

/** The gated delta rule by rows, see {@link DeltaRowKernel}. */
record DeltaRowPlan() implements LinearPlan {
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
    return new LinearStages(
        List.of(DECAYS, OUTPUTS),
        List.of(DECAYS, OUTPUTS, TRANSITION),
        List.of(DECAYS, OUTPUTS),
        List.of(DECAYS, OUTPUTS + OUTSIDE),
        List.of(DECAYS, VALUE_GRADIENTS),
        List.of(DECAYS, OUTPUTS, VALUE_GRADIENTS, QUERY_GRADIENTS, KEY_GRADIENTS, GATE_GRADIENTS),
        List.of(
            DECAYS,
            OUTPUTS,
            VALUE_GRADIENTS + OUTSIDE,
            QUERY_GRADIENTS,
            KEY_GRADIENTS + OUTSIDE,
            GATE_GRADIENTS));
  }

  @Override
  public LinearKernel kernel(LinearRoom room) {
    return new DeltaRowKernel(room);
  }

  @Override
  public long largestScratch(LinearRoom room) {
    long ofDecays = new RowPlan(DeviceRule.HEAD_GATES).largestScratch(room);
    return Math.max(ofDecays, (long) room.tokens() * room.valueWidth() * room.heads());
  }

  @Override
  public long scratch(LinearRoom room) {
    long ofDecays = new RowPlan(DeviceRule.HEAD_GATES).scratch(room);
    long residuals = (long) room.tokens() * room.valueWidth() * room.heads();
    return ofDecays
        + (room.hasGradients() ? 2 * residuals + residuals / RowKernel.BLOCK : residuals);
  }

  /** Each number of a state decays, is added to and read twice; backward as often as its stages. */
  @Override
  public double operations(LinearRoom room) {
    double forward = 9.0 * room.keyWidth() * room.valueWidth();
    return forward * room.tokens() * room.heads() * (room.hasGradients() ? 6 : 1);
  }
}
