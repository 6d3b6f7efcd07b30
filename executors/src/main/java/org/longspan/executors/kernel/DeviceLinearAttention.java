package org.longspan.executors.kernel;

import com.aparapi.device.OpenCLDevice;
import java.util.Arrays;
import org.longspan.executors.memory.FloatMatrix;
import org.longspan.executors.memory.Matrix;
import org.longspan.executors.memory.Precision;
import org.longspan.executors.opencl.DeviceTimed;
import org.longspan.executors.opencl.LaunchLimits;
import org.longspan.executors.opencl.LaunchTime;

/**
 * {@link LinearAttention} with decays, constant or gated, on an OpenCL device.
 *
 * <p>Threading: as {@link LinearAttention}; attentions of one shape share a kernel instance and
 * wait for each other.
 */
final class DeviceLinearAttention implements LinearAttention, DeviceTimed {
  private static final KernelPool<Key, LinearLaunches> POOL =
      new KernelPool<>(LinearLaunches::close);

  private final Key key;
  private final DeviceRule rule;
  private final AttentionShape shape;
  private final double[] slopes;
  private final Workers workers;
  private final AttentionMatrices matrices;
  private final LinearStages stages;
  private final LinearLaunches launches;
  private final String description;
  private boolean isClosed;

  /**
   * @param rule without replacing
   * @param slopes a constant decay for each head; null where gates come with the tokens
   */
  DeviceLinearAttention(
      OpenCLDevice device,
      DeviceRule rule,
      LinearForm form,
      AttentionShape shape,
      Storage storage,
      LaunchLimits limits,
      double[] slopes,
      Workers workers,
      String description) {
    this.description = description;
    this.rule = rule;
    this.shape = shape;
    this.slopes = slopes;
    this.workers = workers;
    this.matrices = new AttentionMatrices(shape, Precision.FLOAT);
    this.stages = rule.plan(form).stages();
    this.key = new Key(device.getDeviceId(), rule, form, shape, storage, limits);
    this.launches =
        POOL.take(key, () -> new LinearLaunches(device, rule, form, shape, storage, limits));
  }

  private record Key(
      long device,
      DeviceRule rule,
      LinearForm form,
      AttentionShape shape,
      Storage storage,
      LaunchLimits limits) {}

  @Override
  public void summarize(
      LinearTensors inputs, Documents documents, Matrix summary, Matrix transition) {
    int tokens = documents.tokens();
    matrices.checkKeys("k", inputs.k(), tokens);
    matrices.checkValues("v", inputs.v(), tokens);
    checkGates("gates", inputs.gates(), tokens);
    matrices.checkState("summary", summary);
    matrices.checkTransition(transition, transitionColumns());
    int first = documents.lastStart();
    if (first == tokens) {
      summary.zero();
    } else {
      run(
          new LinearCall(
              first,
              documents.piece(first, tokens),
              stages.summarize(),
              LinearReads.of(inputs.withoutQueries()),
              LinearWrites.toState(summary)));
    }
    writeTransition(inputs.gates(), documents, transition);
  }

  @Override
  public void forward(LinearTensors inputs, Documents documents, Matrix o) {
    matrices.checkInputs(inputs, documents.tokens());
    checkGates("gates", inputs.gates(), documents.tokens());
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
    matrices.checkKeys("q", inputs.q(), documents.tokens());
    checkGates("gates", inputs.gates(), documents.tokens());
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
            LinearReads.of(inputs.withoutKeys().withoutValues()).withBefore(incoming),
            LinearWrites.addedToOutputs(o)));
  }

  @Override
  public void summarizeGradient(
      LinearTensors inputs, Matrix outputGradient, Documents documents, Matrix summary) {
    matrices.checkKeys("q", inputs.q(), documents.tokens());
    checkGates("gates", inputs.gates(), documents.tokens());
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
            LinearReads.of(inputs.withoutKeys().withoutValues()).withOutputGradient(outputGradient),
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
    matrices.checkInputs(inputs, tokens);
    checkGates("gates", inputs.gates(), tokens);
    matrices.checkValues("outputGradient", outputGradient, tokens);
    matrices.checkState("incoming", incoming);
    matrices.checkGradients(gradients, tokens);
    checkGates("dgates", gradients.gates(), tokens);
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
    matrices.checkKeys("k", inputs.k(), tokens);
    matrices.checkValues("v", inputs.v(), tokens);
    checkGates("gates", inputs.gates(), tokens);
    matrices.checkState("incoming", incoming);
    matrices.checkState("incomingGradient", incomingGradient);
    matrices.checkKeys("dk", gradients.k(), tokens);
    matrices.checkValues("dv", gradients.v(), tokens);
    checkGates("dgates", gradients.gates(), tokens);
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
      launches.run(call, slopes, workers);
    }
  }

  private boolean hasGates() {
    return rule != DeviceRule.CONSTANT;
  }

  private void checkGates(String name, Matrix gates, int tokens) {
    if (!hasGates()) {
      return;
    }
    if (gates == null) {
      throw new IllegalArgumentException("An attention with gates needs " + name);
    }
    matrices.check(name, gates, tokens, shape.heads() * rule.gateWidth(shape.keyWidth()));
  }

  /** The product of all decays, 0 where a document starts in between. */
  private void writeTransition(Matrix gates, Documents documents, Matrix transition) {
    if (!documents.passesThrough()) {
      transition.zero();
      return;
    }
    int perHead = Math.max(1, rule.gateWidth(shape.keyWidth()));
    double[] sums = new double[shape.heads() * perHead];
    if (hasGates()) {
      float[] row = new float[sums.length];
      for (int token = 0; token < documents.tokens(); token++) {
        ((FloatMatrix) gates).read(token, 0, row, 0, row.length);
        for (int i = 0; i < row.length; i++) {
          sums[i] += row[i];
        }
      }
    } else {
      Arrays.setAll(sums, head -> -slopes[head] * documents.tokens());
    }
    for (int row = 0; row < shape.keyColumns(); row++) {
      int head = row / shape.keyWidth();
      int gate = perHead == 1 ? head : row;
      transition.put(row, 0, Math.exp(sums[gate]));
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
    return 1;
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
