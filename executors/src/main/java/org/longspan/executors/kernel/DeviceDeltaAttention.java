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

import com.aparapi.device.OpenCLDevice;
import java.util.List;
import org.longspan.executors.memory.Matrix;
import org.longspan.executors.memory.Precision;
import org.longspan.executors.opencl.DeviceTimed;
import org.longspan.executors.opencl.LaunchLimits;
import org.longspan.executors.opencl.LaunchTime;

/**
 * {@link LinearAttention} by the gated delta rule on an OpenCL device, see {@link DeltaKernel}.
 *
 * <p>Threading: as {@link LinearAttention}; attentions of one shape share a kernel instance and
 * wait for each other.
 */
final class DeviceDeltaAttention implements LinearAttention, DeviceTimed {
  /** The chunks' triangular systems and what states pass them by. */
  private static final List<Integer> SOLVE = List.of(SUM_LOGS, CORRELATE, SOLVE_KEYS, TRANSITIONS);

  /** The states before all chunks, after {@link #SOLVE}. */
  private static final List<Integer> PASS = List.of(SOLVE_VALUES, SUMMARIZE, SCAN);

  /** The gradients of the states after all chunks, after {@link #SOLVE}. */
  private static final List<Integer> PASS_BACK =
      List.of(SCORES, SCORED_GRADIENTS, SOLVE_GRADIENTS, SUMMARIZE_GRADIENT, SCAN_GRADIENT);

  private static final KernelPool<Key, DeltaLaunches> POOL = new KernelPool<>(DeltaLaunches::close);

  private final Key key;
  private final AttentionShape shape;
  private final Workers workers;
  private final AttentionMatrices matrices;
  private final DeltaLaunches launches;
  private final String description;
  private boolean isClosed;

  DeviceDeltaAttention(
      OpenCLDevice device,
      AttentionShape shape,
      Storage storage,
      LaunchLimits limits,
      Workers workers,
      String description) {
    this.description = description;
    this.shape = shape;
    this.workers = workers;
    this.matrices = new AttentionMatrices(shape, Precision.FLOAT);
    this.key = new Key(device.getDeviceId(), shape, storage, limits);
    this.launches = POOL.take(key, () -> new DeltaLaunches(device, shape, storage, limits));
  }

  private record Key(long device, AttentionShape shape, Storage storage, LaunchLimits limits) {}

  @Override
  public void summarize(
      LinearTensors inputs, Documents documents, Matrix summary, Matrix transition) {
    int tokens = documents.tokens();
    matrices.checkDelta(inputs, tokens);
    matrices.checkState("summary", summary);
    matrices.checkTransition(transition, transitionColumns());
    boolean passes = documents.passesThrough();
    transition.zero();
    int first = documents.lastStart();
    if (first == tokens) {
      summary.zero();
      keepState(transition);
      return;
    }
    run(
        new LinearCall(
            first,
            documents.piece(first, tokens),
            joined(List.of(SOLVE, PASS, passes ? List.of(SCAN_TRANSITION) : List.of())),
            LinearReads.of(inputs.withoutQueries()),
            LinearWrites.toState(summary).withTransition(passes ? transition : null)));
  }

  /** The transition over no tokens. */
  private void keepState(Matrix transition) {
    for (int row = 0; row < shape.keyColumns(); row++) {
      transition.put(row, row % shape.keyWidth(), 1);
    }
  }

  @Override
  public void forward(LinearTensors inputs, Documents documents, Matrix o) {
    matrices.checkDelta(inputs, documents.tokens());
    matrices.checkValues("o", o, documents.tokens());
    if (documents.tokens() == 0) {
      return;
    }
    run(
        new LinearCall(
            0,
            documents,
            joined(List.of(SOLVE, PASS, List.of(RESIDUALS, SCORES, OUTPUTS))),
            LinearReads.of(inputs),
            LinearWrites.toOutputs(o)));
  }

  @Override
  public void addIncoming(LinearTensors inputs, Matrix incoming, Documents documents, Matrix o) {
    matrices.checkDelta(inputs, documents.tokens());
    matrices.checkState("incoming", incoming);
    matrices.checkValues("o", o, documents.tokens());
    int reached = documents.continued();
    if (reached == 0) {
      return;
    }
    run(
        new LinearCall(
            0,
            documents.piece(0, reached),
            joined(List.of(SOLVE, List.of(SCAN + OUTSIDE, RESIDUALS + OUTSIDE, SCORES, OUTPUTS))),
            LinearReads.of(inputs.withoutValues()).withBefore(incoming),
            LinearWrites.addedToOutputs(o)));
  }

  @Override
  public void summarizeGradient(
      LinearTensors inputs, Matrix outputGradient, Documents documents, Matrix summary) {
    matrices.checkDelta(inputs, documents.tokens());
    matrices.checkValues("outputGradient", outputGradient, documents.tokens());
    matrices.checkState("summary", summary);
    int reached = documents.continued();
    if (reached == 0) {
      summary.zero();
      return;
    }
    run(
        new LinearCall(
            0,
            documents.piece(0, reached),
            joined(List.of(SOLVE, PASS_BACK)),
            LinearReads.of(inputs.withoutValues()).withOutputGradient(outputGradient),
            LinearWrites.toState(summary)));
  }

  @Override
  public void backward(
      LinearTensors inputs,
      Matrix outputGradient,
      Matrix incoming,
      Documents documents,
      LinearTensors gradients) {
    int tokens = documents.tokens();
    matrices.checkDelta(inputs, tokens);
    matrices.checkValues("outputGradient", outputGradient, tokens);
    matrices.checkState("incoming", incoming);
    matrices.checkDeltaGradients(gradients, tokens);
    if (tokens == 0) {
      return;
    }
    List<Integer> gradientStages =
        List.of(
            RESIDUALS,
            SOLVE_KEYS_BACK,
            VALUE_GRADIENTS,
            SCORE_GRADIENTS,
            CORRELATION_GRADIENTS,
            QUERY_GRADIENTS,
            KEY_READS,
            KEY_GRADIENTS,
            GATE_GRADIENTS);
    run(
        new LinearCall(
            0,
            documents,
            joined(List.of(SOLVE, PASS, PASS_BACK, gradientStages)),
            LinearReads.of(inputs)
                .withOutputGradient(outputGradient)
                .withBefore(documents.continued() > 0 ? incoming : null),
            LinearWrites.toGradients(gradients)));
  }

  @Override
  public void addIncomingGradient(
      LinearTensors inputs,
      Matrix incoming,
      Matrix incomingGradient,
      Documents documents,
      LinearTensors gradients) {
    int tokens = documents.tokens();
    matrices.checkDelta(inputs, tokens);
    matrices.checkState("incoming", incoming);
    matrices.checkState("incomingGradient", incomingGradient);
    matrices.checkDeltaGradients(gradients, tokens);
    int first = documents.lastStart();
    if (first == tokens) {
      return;
    }
    List<Integer> gradientStages =
        List.of(
            RESIDUALS,
            SOLVE_KEYS_BACK,
            SCAN_GRADIENT + OUTSIDE,
            VALUE_GRADIENTS + OUTSIDE,
            CORRELATION_GRADIENTS,
            KEY_READS,
            KEY_GRADIENTS + OUTSIDE,
            GATE_GRADIENTS + OUTSIDE);
    run(
        new LinearCall(
            first,
            documents.piece(first, tokens),
            joined(List.of(SOLVE, PASS, gradientStages)),
            LinearReads.of(inputs.withoutQueries())
                .withBefore(documents.passesThrough() ? incoming : null)
                .withAfter(incomingGradient),
            LinearWrites.addedToGradients(gradients.withoutQueries())));
  }

  private static List<Integer> joined(List<List<Integer>> parts) {
    return parts.stream().flatMap(List::stream).toList();
  }

  private void run(LinearCall call) {
    synchronized (launches) {
      launches.run(call, workers);
    }
  }

  @Override
  public void timeLaunches() {
    synchronized (launches) {
      launches.timeLaunches();
    }
  }

  @Override
  public LaunchTime takeLaunchTime() {
    synchronized (launches) {
      return launches.takeTime();
    }
  }

  @Override
  public int transitionColumns() {
    return shape.keyWidth();
  }

  @Override
  public String description() {
    return description;
  }

  @Override
  public void close() {
    if (!isClosed) {
      isClosed = true;
      POOL.giveBack(key);
    }
  }
}
