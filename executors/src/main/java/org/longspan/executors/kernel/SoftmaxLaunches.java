package org.longspan.executors.kernel;

import com.aparapi.device.OpenCLDevice;
import java.util.List;
import org.longspan.datapipeline.InvalidInputException;
import org.longspan.executors.memory.Matrix;
import org.longspan.executors.opencl.KernelLauncher;
import org.longspan.executors.opencl.LaunchLimits;
import org.longspan.executors.opencl.LaunchTime;
import org.longspan.executors.opencl.OpenClDevices;

/**
 * Runs softmax attention on one OpenCL device: as many heads and rows at once as fit its buffers
 * and a launch's time, inputs into staging arrays, a launch, outputs back.
 *
 * <p>Threading: one thread at a time; its users hold its lock.
 */
final class SoftmaxLaunches implements AutoCloseable {
  /** Keys lie in the same tiles however rows are cut, so that results are the same. */
  private static final int TILE = 64;

  private static final long WANTED_BYTES = 1L << 29;
  private static final int FORWARD_ARRAYS = 4;
  private static final int BACKWARD_ARRAYS = 7;
  private static final int HEAP_SHARE = 2;

  private final OpenCLDevice device;
  private final Storage storage;
  private final LaunchLimits limits;
  private final AttentionShape shape;
  private final SoftmaxInstances<SoftmaxForwardKernel> forward;
  private final SoftmaxInstances<SoftmaxGradientKernel> backward;

  /** Of a head in the arrays. */
  private final int keyWidth;

  private final int valueWidth;
  private LaunchTime time = LaunchTime.NONE;

  SoftmaxLaunches(
      OpenCLDevice device,
      SoftmaxForm form,
      AttentionShape shape,
      Storage storage,
      LaunchLimits limits) {
    this.storage = storage;
    this.device = device;
    this.limits = limits;
    this.shape = shape;
    this.keyWidth = SoftmaxKernel.padded(shape.keyWidth());
    this.valueWidth = SoftmaxKernel.padded(shape.valueWidth());
    this.forward = new SoftmaxInstances<>(device, form::forward);
    this.backward = new SoftmaxInstances<>(device, form::gradient);
  }

  /** Outputs and sums of the rows {@code [first, last)}. */
  void forward(
      Workers workers,
      SoftmaxRanges ranges,
      Matrix q,
      Matrix k,
      Matrix v,
      int first,
      int last,
      Matrix o,
      Matrix logSums) {
    int row = first;
    while (row < last) {
      int end = endOfLaunch(ranges, row, last);
      int firstKey = ranges.lowest(row) / TILE * TILE;
      int keys = ranges.end(end - 1) - firstKey;
      int most = mostHeads(end - row, keys, FORWARD_ARRAYS, Long.MAX_VALUE);
      for (int head = 0; head < shape.heads(); head += most) {
        int heads = Math.min(most, shape.heads() - head);
        KernelLauncher<SoftmaxForwardKernel> launcher = forward.of(room(heads, end - row, keys));
        SoftmaxForwardKernel kernel = launcher.kernel();
        DeviceRows ofKeys = keyRows(firstKey, keys, head, heads);
        DeviceRows ofValues = valueRows(firstKey, keys, head, heads);
        DeviceRows queries = keyRows(row, end - row, head, heads);
        DeviceRows outputs = valueRows(row, end - row, head, heads);
        queries.stage(workers, q, kernel.queryInputs(), 0);
        ofKeys.stage(workers, k, kernel.keyInputs(), 0);
        ofValues.stage(workers, v, kernel.valueInputs(), 0);
        for (int i = row; i < end; i++) {
          kernel.lowest[i - row] = ranges.lowest(i) - firstKey;
          kernel.ends[i - row] = ranges.end(i) - firstKey;
        }
        set(kernel, heads, end - row, keys);
        launcher.launch(
            kernel.launchShape(), kernel.inputs(), List.of(kernel.results(), kernel.logSums));
        time = time.plus(launcher.takeTime());
        outputs.take(workers, kernel.results(), 0, o);
        perHead(row, end - row, head, heads).take(workers, kernel.logSums, 0, logSums);
      }
      row = end;
    }
  }

  private DeviceRows keyRows(int first, int count, int firstHead, int heads) {
    return new DeviceRows(first, count, firstHead, heads, shape.keyWidth(), keyWidth);
  }

  private DeviceRows valueRows(int first, int count, int firstHead, int heads) {
    return new DeviceRows(first, count, firstHead, heads, shape.valueWidth(), valueWidth);
  }

  private static DeviceRows perHead(int first, int count, int firstHead, int heads) {
    return new DeviceRows(first, count, firstHead, heads, 1, 1);
  }

  private void set(SoftmaxKernel kernel, int heads, int rows, int columns) {
    kernel.heads = heads;
    kernel.keyWidth = keyWidth;
    kernel.valueWidth = valueWidth;
    kernel.rows = rows;
    kernel.columns = columns;
  }

  /** Where {@code rowsum(dO ⊙ O)} comes from. */
  interface Means {
    /** Fills {@code means} {@code [rows, heads]} for some heads. */
    void into(int firstHead, int heads, float[] means);
  }

  /** All gradients. */
  void backward(
      Workers workers,
      SoftmaxRanges ranges,
      Matrix q,
      Matrix k,
      Matrix v,
      Matrix logSums,
      Means means,
      Matrix outputGradient,
      Matrix dq,
      Matrix dk,
      Matrix dv) {
    int rows = ranges.rows();
    int keys = ranges.columns();
    long operations = gradientOperations(shape, ranges.pairs(0, rows));
    int most = mostHeads(rows, keys, BACKWARD_ARRAYS, operations);
    for (int head = 0; head < shape.heads(); head += most) {
      int heads = Math.min(most, shape.heads() - head);
      KernelLauncher<SoftmaxGradientKernel> launcher = backward.of(room(heads, rows, keys));
      SoftmaxGradientKernel kernel = launcher.kernel();
      DeviceRows queries = keyRows(0, rows, head, heads);
      DeviceRows outputs = valueRows(0, rows, head, heads);
      DeviceRows ofKeys = keyRows(0, keys, head, heads);
      DeviceRows ofValues = valueRows(0, keys, head, heads);
      queries.stage(workers, q, kernel.queryInputs(), 0);
      ofKeys.stage(workers, k, kernel.keyInputs(), 0);
      ofValues.stage(workers, v, kernel.valueInputs(), 0);
      perHead(0, rows, head, heads).stage(workers, logSums, kernel.logSums, 0);
      outputs.stage(workers, outputGradient, kernel.outputGradientInputs(), 0);
      means.into(head, heads, kernel.means);
      for (int row = 0; row < rows; row++) {
        kernel.lowest[row] = ranges.lowest(row);
        kernel.ends[row] = ranges.end(row);
      }
      for (int key = 0; key < keys; key++) {
        kernel.firsts[key] = ranges.first(key);
        kernel.highest[key] = ranges.highest(key);
      }
      set(kernel, heads, rows, keys);
      launcher.launch(kernel.launchShape(), kernel.inputs(), kernel.gradients());
      time = time.plus(launcher.takeTime());
      queries.take(workers, kernel.queryResults(), 0, dq);
      ofKeys.take(workers, kernel.keyResults(), 0, dk);
      ofValues.take(workers, kernel.valueResults(), 0, dv);
    }
  }

  /** Floating-point operations of one head's backward. */
  static long gradientOperations(AttentionShape shape, long pairs) {
    return 8L * (shape.keyWidth() + shape.valueWidth()) * pairs;
  }

  void timeLaunches() {
    forward.timeLaunches();
    backward.timeLaunches();
  }

  LaunchTime takeTime() {
    LaunchTime taken = time;
    time = LaunchTime.NONE;
    return taken;
  }

  /** Rows are cut where a launch of all heads would take too long. */
  private int endOfLaunch(SoftmaxRanges ranges, int first, int last) {
    double perPair = 2.0 * shape.heads() * (shape.keyWidth() + shape.valueWidth());
    double operations = 0;
    int end = first;
    while (end < last && (end == first || operations < limits.operations())) {
      int next = Math.min(last, end + TILE);
      operations += perPair * ranges.pairs(end, next);
      end = next;
    }
    return end;
  }

  /** How many heads a launch takes, shared out evenly. */
  private int mostHeads(int rows, int keys, int arrays, long operationsOfHead) {
    long limit = limits.bufferBytes();
    long heap = Runtime.getRuntime().maxMemory() / HEAP_SHARE / arrays;
    long wanted = Math.min(WANTED_BYTES, Math.min(limit, heap));
    int heads = shape.heads();
    while (heads > 1
        && (room(heads, rows, keys).largestBytes() > wanted
            || (operationsOfHead < Long.MAX_VALUE
                && (double) operationsOfHead * heads > limits.operations()))) {
      heads--;
    }
    long bytes = room(heads, rows, keys).largestBytes();
    if (bytes > limit) {
      throw new InvalidInputException(
          "A slice of "
              + rows
              + " tokens that sees "
              + keys
              + " needs a buffer of "
              + bytes
              + " bytes, more than "
              + OpenClDevices.name(device)
              + " allows; use more sequence ranks, or kernel cpu");
    }
    int launches = (shape.heads() + heads - 1) / heads;
    return (shape.heads() + launches - 1) / launches;
  }

  private SoftmaxRoom room(int heads, int rows, int keys) {
    return new SoftmaxRoom(heads, rows, keys, keyWidth, valueWidth, storage);
  }

  @Override
  public void close() {
    forward.close();
    backward.close();
  }
}
