package org.longspan.executors.kernel;

import com.aparapi.device.OpenCLDevice;
import java.util.EnumMap;
import java.util.Map;
import org.longspan.executors.memory.Matrix;
import org.longspan.executors.opencl.DeviceTimed;
import org.longspan.executors.opencl.LaunchTime;
import org.longspan.executors.opencl.OpenClDevices;

/**
 * Softmax attention on an OpenCL device, in the form that was measured to be the fastest for slices
 * of the size that comes.
 *
 * <p>Threading: as {@link WindowAttention}.
 */
final class TunedWindowAttention implements WindowAttention, DeviceTimed {
  private final OpenCLDevice device;
  private final AttentionShape shape;
  private final int window;
  private final Workers workers;
  private final SoftmaxTuning tuning;
  private final Map<SoftmaxForm, DeviceWindowAttention> made = new EnumMap<>(SoftmaxForm.class);
  private boolean isTimed;

  TunedWindowAttention(
      OpenCLDevice device, AttentionShape shape, int window, Workers workers, KernelTuning tuning) {
    DeviceWindowAttention.checkWidths(shape);
    this.device = device;
    this.shape = shape;
    this.window = window;
    this.workers = workers;
    this.tuning = new SoftmaxTuning(device, shape, workers, tuning);
  }

  private DeviceWindowAttention fastest(Documents documents) {
    return made.computeIfAbsent(
        tuning.fastest(documents.tokens(), window),
        kind -> {
          DeviceWindowAttention attention =
              new DeviceWindowAttention(device, kind, shape, window, workers);
          if (isTimed) {
            attention.timeLaunches();
          }
          return attention;
        });
  }

  @Override
  public void forward(
      Matrix q,
      Matrix k,
      Matrix v,
      Documents documents,
      int first,
      int last,
      Matrix o,
      Matrix logSums) {
    fastest(documents).forward(q, k, v, documents, first, last, o, logSums);
  }

  @Override
  public void backward(
      Matrix q,
      Matrix k,
      Matrix v,
      Matrix o,
      Matrix logSums,
      Matrix outputGradient,
      Documents documents,
      Matrix dq,
      Matrix dk,
      Matrix dv) {
    fastest(documents).backward(q, k, v, o, logSums, outputGradient, documents, dq, dk, dv);
  }

  @Override
  public void timeLaunches() {
    isTimed = true;
    made.values().forEach(DeviceWindowAttention::timeLaunches);
  }

  @Override
  public LaunchTime takeLaunchTime() {
    LaunchTime time = LaunchTime.NONE;
    for (DeviceWindowAttention attention : made.values()) {
      time = time.plus(attention.takeLaunchTime());
    }
    return time;
  }

  @Override
  public String description() {
    return "aparapi on " + OpenClDevices.name(device);
  }

  @Override
  public void close() {
    made.values().forEach(DeviceWindowAttention::close);
    made.clear();
  }
}
