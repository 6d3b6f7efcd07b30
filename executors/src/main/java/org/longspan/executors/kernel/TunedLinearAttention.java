package org.longspan.executors.kernel;

import com.aparapi.device.Device;
import com.aparapi.device.OpenCLDevice;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.longspan.executors.memory.Matrix;
import org.longspan.executors.opencl.DeviceTimed;
import org.longspan.executors.opencl.LaunchLimits;
import org.longspan.executors.opencl.LaunchTime;

/**
 * Linear attention on an OpenCL device, in the form that was measured to be the fastest for slices
 * of the size that comes. Rows are for processors: another device has tiles, and nothing is
 * measured.
 *
 * <p>Threading: as {@link LinearAttention}.
 */
final class TunedLinearAttention implements LinearAttention, DeviceTimed {
  private final OpenCLDevice device;
  private final DeviceRule rule;
  private final AttentionShape shape;
  private final Storage storage;
  private final double[] slopes;
  private final Workers workers;
  private final String description;
  private final KernelTuning tuning;
  private final Map<Integer, LinearForm> formOfSize = new HashMap<>();
  private final Map<LinearForm, LinearAttention> made = new EnumMap<>(LinearForm.class);
  private boolean isTimed;

  /**
   * @param slopes a constant decay for each head; null where gates come with the tokens
   */
  TunedLinearAttention(
      OpenCLDevice device,
      DeviceRule rule,
      AttentionShape shape,
      Storage storage,
      double[] slopes,
      Workers workers,
      String description,
      KernelTuning tuning) {
    this.device = device;
    this.rule = rule;
    this.shape = shape;
    this.storage = storage;
    this.slopes = slopes;
    this.workers = workers;
    this.description = description;
    this.tuning = tuning;
  }

  private LinearAttention make(LinearForm form) {
    LaunchLimits limits = LaunchLimits.of(device);
    return rule.replaces()
        ? new DeviceDeltaAttention(device, form, shape, storage, limits, workers, description)
        : new DeviceLinearAttention(
            device, rule, form, shape, storage, limits, slopes, workers, description);
  }

  private LinearAttention fastest(Documents documents) {
    LinearForm form =
        formOfSize.computeIfAbsent(TuningKey.size(device, documents.tokens()), this::choose);
    return made.computeIfAbsent(
        form,
        kind -> {
          LinearAttention attention = make(kind);
          if (isTimed) {
            ((DeviceTimed) attention).timeLaunches();
          }
          return attention;
        });
  }

  private LinearForm choose(int size) {
    if (device.getType() != Device.TYPE.CPU) {
      return LinearForm.TILES;
    }
    String kernel = storage == Storage.BF16 ? rule.label() + " in bf16" : rule.label();
    return tuning.choose(
        TuningKey.of(device, kernel, shape, size),
        List.of(LinearForm.values()),
        form -> {
          try (LinearAttention attention = make(form)) {
            return TuningTrial.seconds(attention, rule, shape, size);
          }
        });
  }

  @Override
  public void summarize(
      LinearTensors inputs, Documents documents, Matrix summary, Matrix transition) {
    fastest(documents).summarize(inputs, documents, summary, transition);
  }

  @Override
  public void forward(LinearTensors inputs, Documents documents, Matrix o) {
    fastest(documents).forward(inputs, documents, o);
  }

  @Override
  public void addIncoming(LinearTensors inputs, Matrix incoming, Documents documents, Matrix o) {
    fastest(documents).addIncoming(inputs, incoming, documents, o);
  }

  @Override
  public void summarizeGradient(
      LinearTensors inputs, Matrix outputGradient, Documents documents, Matrix summary) {
    fastest(documents).summarizeGradient(inputs, outputGradient, documents, summary);
  }

  @Override
  public void backward(
      LinearTensors inputs,
      Matrix outputGradient,
      Matrix incoming,
      Documents documents,
      LinearTensors gradients) {
    fastest(documents).backward(inputs, outputGradient, incoming, documents, gradients);
  }

  @Override
  public void addIncomingGradient(
      LinearTensors inputs,
      Matrix incoming,
      Matrix incomingGradient,
      Documents documents,
      LinearTensors gradients) {
    fastest(documents)
        .addIncomingGradient(inputs, incoming, incomingGradient, documents, gradients);
  }

  @Override
  public void timeLaunches() {
    isTimed = true;
    made.values().forEach(attention -> ((DeviceTimed) attention).timeLaunches());
  }

  @Override
  public LaunchTime takeLaunchTime() {
    LaunchTime time = LaunchTime.NONE;
    for (LinearAttention attention : made.values()) {
      time = time.plus(((DeviceTimed) attention).takeLaunchTime());
    }
    return time;
  }

  @Override
  public int transitionColumns() {
    return rule.replaces() ? shape.keyWidth() : 1;
  }

  @Override
  public String description() {
    return description;
  }

  @Override
  public void close() {
    made.values().forEach(LinearAttention::close);
    made.clear();
  }
}
