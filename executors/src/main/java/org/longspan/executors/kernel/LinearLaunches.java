package org.longspan.executors.kernel;

import com.aparapi.device.OpenCLDevice;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.longspan.executors.memory.FloatMatrix;
import org.longspan.executors.memory.Matrix;
import org.longspan.executors.opencl.KernelLauncher;
import org.longspan.executors.opencl.LaunchLimits;
import org.longspan.executors.opencl.LaunchShape;
import org.longspan.executors.opencl.LaunchTime;
import org.longspan.executors.vector.FloatNumber;

/**
 * Runs {@link LinearCall}s on one OpenCL device: as many heads at once as a {@link LaunchSide}
 * takes, inputs into staging arrays, a launch, outputs back.
 *
 * <p>Threading: one thread at a time; its users hold its lock.
 */
final class LinearLaunches implements AutoCloseable {
  private final DeviceForm form;
  private final AttentionShape shape;
  private final Storage storage;
  private final int keyWidth;
  private final int valueWidth;
  private final ChunkGrid grid = new ChunkGrid(LinearKernel.CHUNK);
  private final LaunchSide<LinearRoom, LinearKernel> forward;
  private final LaunchSide<LinearRoom, LinearKernel> backward;
  private LaunchTime time = LaunchTime.NONE;

  LinearLaunches(
      OpenCLDevice device,
      DeviceForm form,
      AttentionShape shape,
      Storage storage,
      LaunchLimits limits) {
    this.storage = storage;
    this.form = form;
    this.shape = shape;
    this.forward = new LaunchSide<>(device, limits, shape.heads(), form::kernel);
    this.backward = new LaunchSide<>(device, limits, shape.heads(), form::kernel);
    this.keyWidth = padded(shape.keyWidth());
    this.valueWidth = padded(shape.valueWidth());
  }

  private static int padded(int width) {
    return (width + LinearKernel.PAD - 1) / LinearKernel.PAD * LinearKernel.PAD;
  }

  /**
   * @param slopes a constant decay for each head; null where gates come with the tokens
   */
  void run(LinearCall call, double[] slopes, Workers workers) {
    grid.plan(call.documents());
    LaunchSide<LinearRoom, LinearKernel> side = call.isBackward() ? backward : forward;
    side.reserve(
        new LinearRoom(
            grid.start(grid.count()),
            grid.count(),
            1,
            keyWidth,
            valueWidth,
            form.gateWidth(keyWidth),
            call.isBackward(),
            storage));
    for (int head = 0; head < shape.heads(); head += side.heads()) {
      int heads = Math.min(side.heads(), shape.heads() - head);
      runHeads(call, slopes, workers, side.launcher(), head, heads);
    }
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

  private void runHeads(
      LinearCall call,
      double[] slopes,
      Workers workers,
      KernelLauncher<LinearKernel> launcher,
      int firstHead,
      int heads) {
    LinearKernel kernel = launcher.kernel();
    int rows = call.documents().tokens();
    DeviceRows keys =
        new DeviceRows(call.firstRow(), rows, firstHead, heads, shape.keyWidth(), keyWidth);
    DeviceRows values =
        new DeviceRows(call.firstRow(), rows, firstHead, heads, shape.valueWidth(), valueWidth);
    DeviceRows perHead = new DeviceRows(call.firstRow(), rows, firstHead, heads, 1, 1);
    DeviceStates states = new DeviceStates(shape, firstHead, heads, keyWidth, valueWidth);
    kernel.heads = heads;
    kernel.tokens = rows;
    kernel.chunks = grid.count();
    kernel.keyWidth = keyWidth;
    kernel.valueWidth = valueWidth;
    kernel.gateWidth = form.gateWidth(keyWidth);
    kernel.keysFrom = rows * heads * keyWidth;
    kernel.gradientsFrom = rows * heads * valueWidth;
    for (int pass = 0; pass < call.stages().size(); pass++) {
      kernel.stages[pass] = call.stages().get(pass);
    }
    for (int chunk = 0; chunk <= grid.count(); chunk++) {
      kernel.starts[chunk] = chunk < grid.count() ? grid.start(chunk) : rows;
      kernel.fresh[chunk] = chunk < grid.count() && grid.isFresh(chunk) ? 1 : 0;
    }
    List<Object> inputs =
        new ArrayList<>(List.of(kernel.stages, kernel.starts, kernel.fresh, kernel.slopes));
    for (int head = 0; head < heads; head++) {
      kernel.slopes[head] = slopes == null ? 0f : FloatNumber.of(slopes[firstHead + head]);
    }
    if (slopes != null) {
      for (int chunk = 0; chunk < grid.count(); chunk++) {
        for (int head = 0; head < heads; head++) {
          double log = -slopes[firstHead + head] * grid.length(chunk);
          kernel.factors[chunk * heads + head] = FloatNumber.of(Math.exp(log));
        }
      }
      inputs.add(kernel.factors);
    }
    LinearTensors in = call.reads().tensors();
    if (in.q() != null) {
      keys.stage(workers, in.q(), kernel.keyInputs(), 0);
    }
    if (in.k() != null) {
      keys.stage(workers, in.k(), kernel.keyInputs(), kernel.keysFrom);
    }
    if (in.q() != null || in.k() != null) {
      inputs.add(kernel.keyInputs());
    }
    if (in.v() != null) {
      values.stage(workers, in.v(), kernel.valueInputs(), 0);
    }
    if (call.reads().outputGradient() != null) {
      values.stage(
          workers, call.reads().outputGradient(), kernel.valueInputs(), kernel.gradientsFrom);
    }
    if (in.v() != null || call.reads().outputGradient() != null) {
      inputs.add(kernel.valueInputs());
    }
    DeviceRows gates = form.gateWidth(keyWidth) > 1 ? keys : perHead;
    if (in.gates() != null) {
      gates.stage(workers, in.gates(), kernel.gates, 0);
      inputs.add(kernel.gates);
    }
    states.stage(call.reads().before(), kernel.before);
    inputs.add(kernel.before);
    if (call.isBackward()) {
      states.stage(call.reads().after(), kernel.after);
      inputs.add(kernel.after);
    }
    LinearTensors out = call.writes().gradients();
    List<Object> outputs = new ArrayList<>();
    if (out.q() != null || out.k() != null) {
      outputs.add(kernel.keyResults());
    }
    if (out.v() != null || call.writes().outputs() != null) {
      outputs.add(kernel.valueResults());
    }
    if (out.gates() != null) {
      outputs.add(kernel.gateOutputs);
    }
    if (call.writes().passed() != null) {
      outputs.add(kernel.passed);
    }
    launcher.launch(
        new LaunchShape(kernel.groups(), LinearKernel.GROUP, call.stages().size()),
        inputs,
        outputs);
    time = time.plus(launcher.takeTime());
    give(call, workers, keys, kernel.keyResults(), 0, out.q());
    give(call, workers, keys, kernel.keyResults(), kernel.keysFrom, out.k());
    give(call, workers, values, kernel.valueResults(), 0, out.v());
    give(call, workers, values, kernel.valueResults(), 0, call.writes().outputs());
    give(call, workers, gates, kernel.gateOutputs, 0, out.gates());
    if (call.writes().passed() != null) {
      states.take(kernel.passed, call.writes().passed());
    }
  }

  private static void give(
      LinearCall call, Workers workers, DeviceRows rows, Object array, int offset, Matrix to) {
    if (to == null) {
      return;
    }
    if (call.writes().adds()) {
      rows.add(workers, array, offset, to);
    } else {
      rows.take(workers, array, offset, to);
    }
  }

  @Override
  public void close() {
    forward.close();
    backward.close();
  }

  /** Copies states of some heads between matrices and padded arrays. */
  private record DeviceStates(
      AttentionShape shape, int firstHead, int heads, int keyWidth, int valueWidth) {

    void stage(Matrix from, float[] array) {
      Arrays.fill(array, 0f);
      if (from == null) {
        return;
      }
      FloatMatrix matrix = (FloatMatrix) from;
      for (int head = 0; head < heads; head++) {
        for (int row = 0; row < shape.keyWidth(); row++) {
          matrix.read(
              (long) (firstHead + head) * shape.keyWidth() + row,
              0,
              array,
              (head * keyWidth + row) * valueWidth,
              shape.valueWidth());
        }
      }
    }

    void take(float[] array, Matrix to) {
      FloatMatrix matrix = (FloatMatrix) to;
      for (int head = 0; head < heads; head++) {
        for (int row = 0; row < shape.keyWidth(); row++) {
          matrix.write(
              (long) (firstHead + head) * shape.keyWidth() + row,
              0,
              array,
              (head * keyWidth + row) * valueWidth,
              shape.valueWidth());
        }
      }
    }
  }
}
