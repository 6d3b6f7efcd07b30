package org.longspan.executors.kernel;

import com.aparapi.device.OpenCLDevice;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Which form of softmax attention was measured to be the fastest, for slices of each size.
 *
 * <p>Threading: one thread at a time.
 */
final class SoftmaxTuning {
  private final OpenCLDevice device;
  private final AttentionShape shape;
  private final Workers workers;
  private final KernelTuning tuning;
  private final Map<Integer, SoftmaxForm> formOfSize = new HashMap<>();

  SoftmaxTuning(OpenCLDevice device, AttentionShape shape, Workers workers, KernelTuning tuning) {
    this.device = device;
    this.shape = shape;
    this.workers = workers;
    this.tuning = tuning;
  }

  /**
   * @param window the same in each call
   */
  SoftmaxForm fastest(int tokens, int window) {
    return formOfSize.computeIfAbsent(
        TuningKey.size(device, tokens), size -> choose(size, Math.min(window, size)));
  }

  private SoftmaxForm choose(int size, int seen) {
    return tuning.choose(
        TuningKey.of(device, "softmax over " + seen, shape, size),
        List.of(SoftmaxForm.values()),
        form -> {
          try (WindowAttention attention =
              new DeviceWindowAttention(device, form, shape, seen, workers)) {
            return TuningTrial.seconds(attention, shape, size);
          }
        });
  }
}
