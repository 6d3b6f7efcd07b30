package org.longspan.executors.kernel;

import com.aparapi.device.OpenCLDevice;
import org.longspan.executors.memory.Matrix;
import org.longspan.executors.memory.Precision;
import org.longspan.executors.opencl.DeviceTimed;
import org.longspan.executors.opencl.LaunchLimits;
import org.longspan.executors.opencl.LaunchTime;

/**
 * {@link LinearAttention} by the gated delta rule on an OpenCL device.
 *
 * <p>Threading: as {@link LinearAttention}; attentions of one shape share a kernel instance and
 * wait for each other.
 */
final class DeviceDeltaAttention implements LinearAttention, DeviceTimed {
  private static final KernelPool<Key, LinearLaunches> POOL =
      new KernelPool<>(LinearLaunches::close);

  private final Key key;
  private final AttentionShape shape;
  private final Workers workers;
  private final AttentionMatrices matrices;
  private final LinearStages stages;
  private final LinearLaunches launches;
  private final String description;
  private boolean isClosed;

  DeviceDeltaAttention(
      OpenCLDevice device,
      LinearForm form,
      AttentionShape shape,
      Storage storage,
      LaunchLimits limits,
      Workers workers,
      String description) {
    this.description = description;
    this.shape = shape;
    this.workers = workers;
    this.matrices = new AttentionMatrices(shape, Precision.FLOAT);
    this.stages = DeviceRule.DELTA.plan(form).stages();
    this.key = new Key(device.getDeviceId(), form, shape, storage, limits);
    this.launches =
        POOL.take(
            key, () -> new LinearLaunches(device, DeviceRule.DELTA, form, shape, storage, limits));
  }

  private record Key(
      long device, LinearForm form, AttentionShape shape, Storage storage, LaunchLimits limits) {}

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
            passes ? stages.summarizePassing() : stages.summarize(),
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
            0, documents, stages.forward(), LinearReads.of(inputs), LinearWrites.toOutputs(o)));
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
            stages.addIncoming(),
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
            stages.summarizeGradient(),
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
    run(
        new LinearCall(
            0,
            documents,
            stages.backward(),
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
    run(
        new LinearCall(
            first,
            documents.piece(first, tokens),
            stages.addIncomingGradient(),
            LinearReads.of(inputs.withoutQueries())
                .withBefore(documents.passesThrough() ? incoming : null)
                .withAfter(incomingGradient),
            LinearWrites.addedToGradients(gradients.withoutQueries())));
  }

  private void run(LinearCall call) {
    synchronized (launches) {
      launches.run(call, null, workers);
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
