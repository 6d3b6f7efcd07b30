package org.longspan.executors.kernel;

import com.aparapi.device.OpenCLDevice;
import org.longspan.datapipeline.InvalidInputException;
import org.longspan.executors.memory.Matrix;
import org.longspan.executors.memory.Precision;
import org.longspan.executors.opencl.DeviceTimed;
import org.longspan.executors.opencl.LaunchLimits;
import org.longspan.executors.opencl.LaunchTime;
import org.longspan.executors.opencl.OpenClDevices;

/**
 * {@link WindowAttention} on an OpenCL device, of any window: with one as long as the sequence it
 * is dense causal softmax attention.
 *
 * <p>Threading: as {@link WindowAttention}; attentions of one shape share kernels and wait for each
 * other.
 */
final class DeviceWindowAttention implements WindowAttention, DeviceTimed {
  private static final int WIDEST = 256;

  private final OpenCLDevice device;
  private final SoftmaxForm form;
  private final Storage storage;
  private final LaunchLimits limits;
  private final AttentionShape shape;
  private final int window;
  private final Workers workers;
  private final AttentionMatrices matrices;
  private final SoftmaxLaunches launches;
  private boolean isClosed;

  DeviceWindowAttention(
      OpenCLDevice device, SoftmaxForm form, AttentionShape shape, int window, Workers workers) {
    this(device, form, shape, Storage.FLOAT, LaunchLimits.of(device), window, workers);
  }

  DeviceWindowAttention(
      OpenCLDevice device,
      SoftmaxForm form,
      AttentionShape shape,
      Storage storage,
      LaunchLimits limits,
      int window,
      Workers workers) {
    checkWidths(shape);
    if (storage == Storage.BF16 && form != SoftmaxForm.TILES) {
      throw new IllegalArgumentException("Rows have no form in bf16");
    }
    this.storage = storage;
    this.limits = limits;
    this.device = device;
    this.form = form;
    this.shape = shape;
    this.window = window;
    this.workers = workers;
    this.matrices = new AttentionMatrices(shape, Precision.FLOAT);
    this.launches = SoftmaxPool.take(device, form, shape, storage, limits);
  }

  /**
   * @throws InvalidInputException if the device has no form for heads of these widths
   */
  static void checkWidths(AttentionShape shape) {
    if (Math.max(shape.keyWidth(), shape.valueWidth()) > WIDEST) {
      throw new InvalidInputException(
          "kernel: aparapi has softmax attention for heads of up to "
              + WIDEST
              + " columns, not "
              + Math.max(shape.keyWidth(), shape.valueWidth())
              + "; set kernel: cpu");
    }
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
    if (first < 0 || first > last || last > documents.tokens()) {
      throw new IndexOutOfBoundsException(
          "Rows " + first + " to " + last + " of a slice of " + documents.tokens() + " tokens");
    }
    check(q, k, v, documents, o, logSums);
    if (first == last) {
      return;
    }
    SoftmaxRanges ranges = ranges(k, documents);
    synchronized (launches) {
      launches.forward(workers, ranges, q, k, v, first, last, o, logSums);
    }
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
    check(q, k, v, documents, o, logSums);
    matrices.checkValues("outputGradient", outputGradient, documents.tokens());
    matrices.checkKeys("dq", dq, documents.tokens());
    matrices.checkKeys("dk", dk, k.rows());
    matrices.checkValues("dv", dv, k.rows());
    if (documents.tokens() == 0) {
      dk.zero();
      dv.zero();
      return;
    }
    SoftmaxRanges ranges = ranges(k, documents);
    synchronized (launches) {
      launches.backward(
          workers,
          ranges,
          q,
          k,
          v,
          logSums,
          (firstHead, heads, means) ->
              new DeviceRows(
                      0,
                      documents.tokens(),
                      firstHead,
                      heads,
                      shape.valueWidth(),
                      shape.valueWidth())
                  .dots(workers, o, outputGradient, means),
          outputGradient,
          dq,
          dk,
          dv);
    }
  }

  private SoftmaxRanges ranges(Matrix k, Documents documents) {
    return SoftmaxRanges.ofWindow(
        documents, Math.toIntExact(k.rows() - documents.tokens()), window);
  }

  private void check(Matrix q, Matrix k, Matrix v, Documents documents, Matrix o, Matrix logSums) {
    int tokens = documents.tokens();
    long rows = Math.max(tokens, k.rows());
    matrices.checkKeys("q", q, tokens);
    matrices.checkKeys("k", k, rows);
    matrices.checkValues("v", v, rows);
    matrices.checkValues("o", o, tokens);
    matrices.check("logSums", logSums, tokens, shape.heads());
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
  public String description() {
    return (storage == Storage.BF16 ? "aparapi in bf16 on " : "aparapi on ")
        + OpenClDevices.name(device);
  }

  @Override
  public void close() {
    if (!isClosed) {
      isClosed = true;
      SoftmaxPool.giveBack(device, form, shape, storage, limits);
    }
  }
}
