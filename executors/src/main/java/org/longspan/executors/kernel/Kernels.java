package org.longspan.executors.kernel;

import com.aparapi.device.OpenCLDevice;
import java.util.Optional;
import org.longspan.datapipeline.InvalidInputException;
import org.longspan.executors.memory.Precision;
import org.longspan.executors.opencl.JavaSignals;
import org.longspan.executors.opencl.LaunchLimits;
import org.longspan.executors.opencl.OpenClDevices;

/** Makes attentions: which form computes them is decided here, once, and described. */
public final class Kernels {
  private static final String DOUBLE_ON_CPU = "cpu (auto: double runs on the CPU only)";
  private static final String NO_GPU = "cpu (auto: no OpenCL GPU found)";
  private static final String NOT_LOOKED =
      "cpu (auto: looked for no OpenCL GPU, as drivers can end a Java that libjsig is not preloaded"
          + " to)";

  private Kernels() {}

  /**
   * Linear attention with the decay {@code exp(−slope)} for each head.
   *
   * @param slopes one for each head, at least 0
   * @param chunk tokens worked through at once on the CPU; results differ by rounding only
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
    Place place = place(choice, precision);
    if (place.device() == null) {
      return switch (precision) {
        case FLOAT -> new FloatLinearAttention(shape, slopes, chunk, workers, place.description());
        case DOUBLE ->
            new DoubleLinearAttention(shape, slopes, chunk, workers, place.description());
      };
    }
    return device(place, DeviceRule.CONSTANT, shape, slopes, workers);
  }

  /**
   * Linear attention with gates that come with the tokens.
   *
   * @param chunk tokens worked through at once on the CPU, at most; results differ by rounding only
   * @param workers used by each call; closed by its owner, after the attention
   */
  public static LinearAttention gated(
      KernelChoice choice,
      Precision precision,
      AttentionShape shape,
      GateWidth gateWidth,
      int chunk,
      Workers workers) {
    Place place = place(choice, precision);
    if (place.device() == null) {
      return switch (precision) {
        case FLOAT ->
            new FloatGatedAttention(shape, gateWidth, chunk, workers, place.description());
        case DOUBLE ->
            new DoubleGatedAttention(shape, gateWidth, chunk, workers, place.description());
      };
    }
    return device(place, DeviceRule.of(gateWidth), shape, null, workers);
  }

  private static LinearAttention device(
      Place place, DeviceRule rule, AttentionShape shape, double[] slopes, Workers workers) {
    return new TunedLinearAttention(
        place.device(),
        rule,
        shape,
        place.storage(),
        slopes,
        workers,
        place.description(),
        KernelTuning.OF_USER);
  }

  /**
   * Linear attention by the gated delta rule.
   *
   * @param chunk tokens worked through at once on the CPU; results differ by rounding only
   * @param workers used by each call; closed by its owner, after the attention
   */
  public static LinearAttention delta(
      KernelChoice choice, Precision precision, AttentionShape shape, int chunk, Workers workers) {
    Place place = place(choice, precision);
    if (place.device() != null) {
      return device(place, DeviceRule.DELTA, shape, null, workers);
    }
    return switch (precision) {
      case FLOAT -> new FloatDeltaAttention(shape, chunk, workers, place.description());
      case DOUBLE -> new DoubleDeltaAttention(shape, chunk, workers, place.description());
    };
  }

  /**
   * Where an attention is computed.
   *
   * @param device null for the CPU
   */
  private record Place(OpenCLDevice device, Storage storage, String description) {
    static Place onCpu(String description) {
      return new Place(null, Storage.FLOAT, description);
    }

    static Place on(OpenCLDevice device) {
      return new Place(device, Storage.FLOAT, "aparapi on " + OpenClDevices.name(device));
    }

    static Place narrow(OpenCLDevice device) {
      return new Place(device, Storage.BF16, "aparapi in bf16 on " + OpenClDevices.name(device));
    }
  }

  private static Place place(KernelChoice choice, Precision precision) {
    return switch (choice) {
      case CPU -> Place.onCpu("cpu");
      case APARAPI -> Place.on(device(precision));
      case APARAPI_BF16 -> Place.narrow(device(precision));
      case AUTO -> automatic(precision);
    };
  }

  private static Place automatic(Precision precision) {
    if (precision == Precision.DOUBLE) {
      return Place.onCpu(DOUBLE_ON_CPU);
    }
    if (!JavaSignals.kept() && OpenClDevices.assigned().isEmpty()) {
      return Place.onCpu(NOT_LOOKED);
    }
    return OpenClDevices.gpu().map(Place::on).orElseGet(() -> Place.onCpu(NO_GPU));
  }

  private static OpenCLDevice device(Precision precision) {
    if (precision == Precision.DOUBLE) {
      throw new InvalidInputException(
          "kernel: aparapi computes in float only, and precision is double; set precision: float"
              + " or kernel: cpu");
    }
    return OpenClDevices.best()
        .orElseThrow(
            () ->
                new InvalidInputException(
                    "kernel: aparapi needs an OpenCL device, none found; install an OpenCL driver"
                        + " or set kernel: cpu"));
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
    Place place = place(choice, precision);
    if (place.storage() == Storage.BF16) {
      return new DeviceWindowAttention(
          place.device(),
          SoftmaxForm.TILES,
          shape,
          Storage.BF16,
          LaunchLimits.of(place.device()),
          window,
          workers);
    }
    if (place.device() != null) {
      return new TunedWindowAttention(place.device(), shape, window, workers, KernelTuning.OF_USER);
    }
    return switch (precision) {
      case FLOAT -> new FloatWindowAttention(shape, window, workers, place.description());
      case DOUBLE -> new DoubleWindowAttention(shape, window, workers, place.description());
    };
  }

  /**
   * Causal softmax attention to parts of the keys, where a device is to compute it; empty for the
   * CPU, whose callers expand keys and values as they go.
   *
   * @param workers used by each call; closed by its owner, after the attention
   */
  public static Optional<PartialAttention> partial(
      KernelChoice choice, Precision precision, AttentionShape shape, Workers workers) {
    Place place = place(choice, precision);
    if (place.device() == null) {
      return Optional.empty();
    }
    return Optional.of(
        new DevicePartialAttention(
            place.device(),
            shape,
            place.storage(),
            LaunchLimits.of(place.device()),
            workers,
            KernelTuning.OF_USER));
  }

  /** What computes attention by this choice, for the run's first lines. */
  public static String description(KernelChoice choice, Precision precision) {
    return place(choice, precision).description();
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
