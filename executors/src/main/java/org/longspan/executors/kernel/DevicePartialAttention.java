package org.longspan.executors.kernel;

import com.aparapi.device.OpenCLDevice;
import org.longspan.executors.memory.Matrix;
import org.longspan.executors.memory.Precision;
import org.longspan.executors.opencl.DeviceTimed;
import org.longspan.executors.opencl.LaunchLimits;
import org.longspan.executors.opencl.LaunchTime;
import org.longspan.executors.opencl.OpenClDevices;

/**
 * {@link PartialAttention} on an OpenCL device, by the kernels of {@link DeviceWindowAttention}.
 *
 * <p>Threading: as {@link PartialAttention}; attentions of one shape share kernels and wait for
 * each other.
 */
final class DevicePartialAttention implements PartialAttention, DeviceTimed {
  private static final int LONGEST = 8192;
  private static final int SHORTEST = 64;

  private final OpenCLDevice device;
  private final AttentionShape shape;
  private final Storage storage;
  private final LaunchLimits limits;
  private final Workers workers;
  private final SoftmaxTuning tuning;
  private final AttentionMatrices matrices;
  private SoftmaxForm form;
  private SoftmaxLaunches taken;
  private boolean isTimed;

  DevicePartialAttention(
      OpenCLDevice device,
      AttentionShape shape,
      Storage storage,
      LaunchLimits limits,
      Workers workers,
      KernelTuning tuning) {
    DeviceWindowAttention.checkWidths(shape);
    this.device = device;
    this.shape = shape;
    this.storage = storage;
    this.limits = limits;
    this.workers = workers;
    this.tuning = new SoftmaxTuning(device, shape, workers, tuning);
    this.matrices = new AttentionMatrices(shape, Precision.FLOAT);
  }

  @Override
  public void forward(Matrix q, Matrix k, Matrix v, SoftmaxRanges seen, Matrix o, Matrix logSums) {
    check(q, k, v, seen, logSums);
    matrices.checkValues("o", o, seen.rows());
    SoftmaxLaunches launches = launches();
    synchronized (launches) {
      launches.forward(workers, seen, q, k, v, 0, seen.rows(), o, logSums);
    }
  }

  @Override
  public void backward(
      Matrix q,
      Matrix k,
      Matrix v,
      Matrix logSums,
      Matrix means,
      Matrix outputGradient,
      SoftmaxRanges seen,
      Matrix dq,
      Matrix dk,
      Matrix dv) {
    check(q, k, v, seen, logSums);
    matrices.check("means", means, seen.rows(), shape.heads());
    matrices.checkValues("outputGradient", outputGradient, seen.rows());
    matrices.checkKeys("dq", dq, seen.rows());
    matrices.checkKeys("dk", dk, seen.columns());
    matrices.checkValues("dv", dv, seen.columns());
    SoftmaxLaunches launches = launches();
    synchronized (launches) {
      launches.backward(
          workers,
          seen,
          q,
          k,
          v,
          logSums,
          (firstHead, heads, array) ->
              new DeviceRows(0, seen.rows(), firstHead, heads, 1, 1)
                  .stage(workers, means, array, 0),
          outputGradient,
          dq,
          dk,
          dv);
    }
  }

  private void check(Matrix q, Matrix k, Matrix v, SoftmaxRanges seen, Matrix logSums) {
    matrices.checkKeys("q", q, seen.rows());
    matrices.checkKeys("k", k, seen.columns());
    matrices.checkValues("v", v, seen.columns());
    matrices.check("logSums", logSums, seen.rows(), shape.heads());
  }

  /** In one form for calls of any size, so that results do not depend on how they are cut. */
  private SoftmaxLaunches launches() {
    if (taken == null) {
      form =
          switch (storage) {
            case FLOAT -> tuning.fastest(span(), Integer.MAX_VALUE);
            case BF16 -> SoftmaxForm.TILES;
          };
      taken = SoftmaxPool.take(device, form, shape, storage, limits);
      if (isTimed) {
        timeLaunches();
      }
    }
    return taken;
  }

  /** So many of both that one head's backward is a launch of the time allowed. */
  @Override
  public int span() {
    int span = LONGEST;
    while (span > SHORTEST
        && SoftmaxLaunches.gradientOperations(shape, (long) span * span) > limits.operations()) {
      span /= 2;
    }
    return span;
  }

  @Override
  public void timeLaunches() {
    isTimed = true;
    SoftmaxLaunches launches = taken;
    if (launches != null) {
      synchronized (launches) {
        launches.timeLaunches();
      }
    }
  }

  @Override
  public LaunchTime takeLaunchTime() {
    SoftmaxLaunches launches = taken;
    if (launches == null) {
      return LaunchTime.NONE;
    }
    synchronized (launches) {
      return launches.takeTime();
    }
  }

  @Override
  public String description() {
    return (storage == Storage.BF16 ? "aparapi in bf16 on " : "aparapi on ")
        + OpenClDevices.name(device);
  }

  @Override
  public void close() {
    if (taken != null) {
      taken = null;
      SoftmaxPool.giveBack(device, form, shape, storage, limits);
    }
  }
}
