package org.longspan.executors.kernel;

import com.aparapi.device.OpenCLDevice;
import java.util.Optional;
import org.longspan.datapipeline.InvalidInputException;
import org.longspan.executors.memory.Precision;
import org.longspan.executors.opencl.OpenClDevices;

/** Makes attentions: which form computes them is decided here, once, and described. */
public final class Kernels {
  private static final String DOUBLE_ON_CPU = "cpu (auto: double runs on the CPU only)";
  private static final String NO_GPU = "cpu (auto: no OpenCL GPU found)";

  private Kernels() {}

  /**
   * Linear attention with the decay {@code exp(−slope)} for each head.
   *
   * @param slopes one for each head, at least 0
   * @param chunk tokens worked through at once; results differ by rounding only
   * @param workers used by each call; closed by its owner, after the attention
   */
  public static LinearAttention linear(
      KernelChoice choice,
      Precision precision,
      AttentionShape shape,
      double[] slopes,
      int chunk,
      Workers workers) {
    checkSlopes(shape, slopes);
    return switch (choice) {
      case CPU -> cpu(precision, shape, slopes, chunk, workers, "cpu");
      case APARAPI -> aparapi(precision, shape, slopes, chunk);
      case AUTO -> automatic(precision, shape, slopes, chunk, workers);
    };
  }

  private static LinearAttention automatic(
      Precision precision, AttentionShape shape, double[] slopes, int chunk, Workers workers) {
    if (precision == Precision.DOUBLE) {
      return cpu(precision, shape, slopes, chunk, workers, DOUBLE_ON_CPU);
    }
    Optional<OpenCLDevice> gpu = OpenClDevices.gpu();
    if (gpu.isEmpty()) {
      return cpu(precision, shape, slopes, chunk, workers, NO_GPU);
    }
    return aparapi(gpu.get(), shape, slopes, chunk);
  }

  private static LinearAttention aparapi(
      Precision precision, AttentionShape shape, double[] slopes, int chunk) {
    return aparapi(requiredDevice(precision), shape, slopes, chunk);
  }

  private static LinearAttention aparapi(
      OpenCLDevice device, AttentionShape shape, double[] slopes, int chunk) {
    return new AparapiLinearAttention(
        device, shape, slopes, chunk, "aparapi on " + OpenClDevices.name(device));
  }

  /**
   * Linear attention with gates that come with the tokens, on the CPU.
   *
   * @param chunk tokens worked through at once, at most; results differ by rounding only
   * @param workers used by each call; closed by its owner, after the attention
   */
  public static LinearAttention gated(
      Precision precision, AttentionShape shape, GateWidth gateWidth, int chunk, Workers workers) {
    return switch (precision) {
      case FLOAT -> new FloatGatedAttention(shape, gateWidth, chunk, workers);
      case DOUBLE -> new DoubleGatedAttention(shape, gateWidth, chunk, workers);
    };
  }

  /**
   * Linear attention by the gated delta rule, on the CPU.
   *
   * @param chunk tokens worked through at once; results differ by rounding only
   * @param workers used by each call; closed by its owner, after the attention
   */
  public static LinearAttention delta(
      Precision precision, AttentionShape shape, int chunk, Workers workers) {
    return switch (precision) {
      case FLOAT -> new FloatDeltaAttention(shape, chunk, workers);
      case DOUBLE -> new DoubleDeltaAttention(shape, chunk, workers);
    };
  }

  /**
   * Causal softmax attention over a sliding window, or over all tokens before where the window is
   * at least as long.
   *
   * @param window tokens that a token sees, itself included; at least 1
   * @param workers used by each call; closed by its owner, after the attention
   */
  public static WindowAttention window(
      KernelChoice choice, Precision precision, AttentionShape shape, int window, Workers workers) {
    if (window < 1) {
      throw new IllegalArgumentException("A window holds at least its own token, not " + window);
    }
    return switch (choice) {
      case CPU -> windowOnCpu(precision, shape, window, workers, "cpu");
      case APARAPI -> windowOnDevice(requiredDevice(precision), shape, window, workers);
      case AUTO -> {
        if (precision == Precision.DOUBLE) {
          yield windowOnCpu(precision, shape, window, workers, DOUBLE_ON_CPU);
        }
        Optional<OpenCLDevice> gpu = OpenClDevices.gpu();
        yield gpu.isPresent()
            ? windowOnDevice(gpu.get(), shape, window, workers)
            : windowOnCpu(precision, shape, window, workers, NO_GPU);
      }
    };
  }

  private static WindowAttention windowOnDevice(
      OpenCLDevice device, AttentionShape shape, int window, Workers workers) {
    return new DeviceWindowAttention(device, SoftmaxForm.of(device), shape, window, workers);
  }

  private static WindowAttention windowOnCpu(
      Precision precision, AttentionShape shape, int window, Workers workers, String description) {
    return switch (precision) {
      case FLOAT -> new FloatWindowAttention(shape, window, workers, description);
      case DOUBLE -> new DoubleWindowAttention(shape, window, workers, description);
    };
  }

  /** The device that {@code kernel: aparapi} computes on. */
  private static OpenCLDevice requiredDevice(Precision precision) {
    if (precision == Precision.DOUBLE) {
      throw new InvalidInputException(
          "kernel: aparapi computes in float only, and precision is double; set precision: float"
              + " or kernel: cpu");
    }
    return OpenClDevices.best()
        .orElseThrow(
            () ->
                new InvalidInputException(
                    "kernel: aparapi needs an OpenCL device, none found; install an OpenCL"
                        + " driver or set kernel: cpu"));
  }

  private static LinearAttention cpu(
      Precision precision,
      AttentionShape shape,
      double[] slopes,
      int chunk,
      Workers workers,
      String description) {
    return switch (precision) {
      case FLOAT -> new FloatLinearAttention(shape, slopes, chunk, workers, description);
      case DOUBLE -> new DoubleLinearAttention(shape, slopes, chunk, workers, description);
    };
  }

  private static void checkSlopes(AttentionShape shape, double[] slopes) {
    if (slopes.length != shape.heads()) {
      throw new IllegalArgumentException(slopes.length + " slopes for " + shape.heads() + " heads");
    }
    for (double slope : slopes) {
      if (!(slope >= 0)) {
        throw new IllegalArgumentException("A slope is at least 0, not " + slope);
      }
    }
  }
}
