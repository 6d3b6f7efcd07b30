package org.longspan.executors.kernel;

import com.aparapi.device.OpenCLDevice;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.longspan.executors.memory.Matrix;
import org.longspan.executors.opencl.KernelLauncher;
import org.longspan.executors.opencl.LaunchLimits;
import org.longspan.executors.opencl.LaunchShape;
import org.longspan.executors.opencl.LaunchTime;

/**
 * Runs {@link LinearCall}s of the gated delta rule on one OpenCL device: as many heads at once as a
 * {@link LaunchSide} takes, inputs into staging arrays, a launch, outputs back.
 *
 * <p>Threading: one thread at a time; its users hold its lock.
 */
final class DeltaLaunches implements AutoCloseable {
  private final AttentionShape shape;
  private final Storage storage;
  private final int keyWidth;
  private final int valueWidth;
  private final ChunkGrid grid = new ChunkGrid(DeltaKernel.CHUNK);
  private final LaunchSide<DeltaRoom, DeltaKernel> forward;
  private final LaunchSide<DeltaRoom, DeltaKernel> backward;
  private LaunchTime time = LaunchTime.NONE;

  DeltaLaunches(OpenCLDevice device, AttentionShape shape, Storage storage, LaunchLimits limits) {
    this.shape = shape;
    this.storage = storage;
    this.forward = new LaunchSide<>(device, limits, shape.heads(), DeltaTileKernel::new);
    this.backward = new LaunchSide<>(device, limits, shape.heads(), DeltaTileKernel::new);
    this.keyWidth = padded(shape.keyWidth());
    this.valueWidth = padded(shape.valueWidth());
  }

  private static int padded(int width) {
    return (width + DeltaKernel.PAD - 1) / DeltaKernel.PAD * DeltaKernel.PAD;
  }

  /**
   * @param call its stages are those of {@link DeltaKernel}
   */
  void run(LinearCall call, Workers workers) {
    grid.plan(call.documents());
    LaunchSide<DeltaRoom, DeltaKernel> side = call.isBackward() ? backward : forward;
    side.reserve(
        new DeltaRoom(
            grid.start(grid.count()),
            grid.count(),
            1,
            keyWidth,
            valueWidth,
            call.isBackward(),
            storage));
    for (int head = 0; head < shape.heads(); head += side.heads()) {
      int heads = Math.min(side.heads(), shape.heads() - head);
      new Heads(call, workers, side.launcher(), head, heads).run();
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

  /** One launch: a call for some of the heads. */
  private final class Heads {
    private final LinearCall call;
    private final Workers workers;
    private final KernelLauncher<DeltaKernel> launcher;
    private final DeltaKernel kernel;
    private final int firstHead;
    private final int heads;
    private final DeviceRows keys;
    private final DeviceRows values;
    private final DeviceRows perHead;

    Heads(
        LinearCall call,
        Workers workers,
        KernelLauncher<DeltaKernel> launcher,
        int firstHead,
        int heads) {
      this.call = call;
      this.workers = workers;
      this.launcher = launcher;
      this.kernel = launcher.kernel();
      this.firstHead = firstHead;
      this.heads = heads;
      this.keys = rows(shape.keyWidth(), keyWidth);
      this.values = rows(shape.valueWidth(), valueWidth);
      this.perHead = rows(1, 1);
    }

    private DeviceRows rows(int width, int padded) {
      int count = call.documents().tokens();
      return new DeviceRows(call.firstRow(), count, firstHead, heads, width, padded);
    }

    void run() {
      describe();
      List<Object> inputs = stage();
      launcher.launch(
          new LaunchShape(kernel.groups(), DeltaKernel.GROUP, call.stages().size()),
          inputs,
          outputs());
      time = time.plus(launcher.takeTime());
      take();
    }

    /** Sets the kernel's numbers: sizes, stages, chunks. */
    private void describe() {
      int tokens = call.documents().tokens();
      kernel.heads = heads;
      kernel.tokens = tokens;
      kernel.chunks = grid.count();
      kernel.keyWidth = keyWidth;
      kernel.valueWidth = valueWidth;
      kernel.keysFrom = tokens * heads * keyWidth;
      kernel.gradientsFrom = tokens * heads * valueWidth;
      kernel.pairsFrom = tokens * heads * DeltaKernel.CHUNK;
      for (int pass = 0; pass < call.stages().size(); pass++) {
        kernel.stages[pass] = call.stages().get(pass);
      }
      for (int chunk = 0; chunk < grid.count(); chunk++) {
        kernel.starts[chunk] = grid.start(chunk);
        kernel.fresh[chunk] = grid.isFresh(chunk) ? 1 : 0;
      }
      kernel.starts[grid.count()] = tokens;
    }

    private List<Object> stage() {
      LinearTensors in = call.reads().tensors();
      keys.stage(workers, in.k(), kernel.keyInputs(), kernel.keysFrom);
      perHead.stage(workers, in.gates(), kernel.gates, 0);
      perHead.stage(workers, in.beta(), kernel.betas, 0);
      List<Object> inputs =
          new ArrayList<>(
              List.of(
                  kernel.stages,
                  kernel.starts,
                  kernel.fresh,
                  kernel.keyInputs(),
                  kernel.gates,
                  kernel.betas,
                  kernel.before));
      if (in.q() != null) {
        keys.stage(workers, in.q(), kernel.keyInputs(), 0);
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
      stageStates(call.reads().before(), kernel.before);
      if (call.isBackward()) {
        stageStates(call.reads().after(), kernel.after);
        inputs.add(kernel.after);
      }
      return inputs;
    }

    private List<Object> outputs() {
      LinearTensors out = call.writes().gradients();
      List<Object> outputs = new ArrayList<>();
      if (out.k() != null) {
        outputs.addAll(
            List.of(
                kernel.keyResults(),
                kernel.valueResults(),
                kernel.gateOutputs,
                kernel.betaOutputs));
      }
      if (call.writes().outputs() != null) {
        outputs.add(kernel.valueResults());
      }
      if (call.writes().passed() != null) {
        outputs.add(kernel.passed);
      }
      if (call.writes().transition() != null) {
        outputs.add(kernel.transition);
      }
      return outputs;
    }

    private void take() {
      LinearTensors out = call.writes().gradients();
      take(keys, kernel.keyResults(), 0, out.q());
      take(keys, kernel.keyResults(), kernel.keysFrom, out.k());
      take(values, kernel.valueResults(), 0, out.v());
      take(perHead, kernel.gateOutputs, 0, out.gates());
      take(perHead, kernel.betaOutputs, 0, out.beta());
      take(values, kernel.valueResults(), 0, call.writes().outputs());
      takeStates(kernel.passed, call.writes().passed(), shape.valueWidth(), valueWidth);
      takeStates(kernel.transition, call.writes().transition(), shape.keyWidth(), keyWidth);
    }

    private void take(DeviceRows rows, Object array, int offset, Matrix to) {
      if (to == null) {
        return;
      }
      if (call.writes().adds()) {
        rows.add(workers, array, offset, to);
      } else {
        rows.take(workers, array, offset, to);
      }
    }

    /** The padding is never written, and stays zero. */
    private void stageStates(Matrix from, float[] array) {
      if (from == null) {
        Arrays.fill(array, 0f);
        return;
      }
      for (int head = 0; head < heads; head++) {
        int at = head * keyWidth * valueWidth;
        stateRows(head, shape.valueWidth(), valueWidth).stage(workers, from, array, at);
      }
    }

    private void takeStates(float[] array, Matrix to, int width, int padded) {
      if (to == null) {
        return;
      }
      for (int head = 0; head < heads; head++) {
        stateRows(head, width, padded).take(workers, array, head * keyWidth * padded, to);
      }
    }

    private DeviceRows stateRows(int head, int width, int padded) {
      int first = (firstHead + head) * shape.keyWidth();
      return new DeviceRows(first, shape.keyWidth(), 0, 1, width, padded);
    }
  }

  @Override
  public void close() {
    forward.close();
    backward.close();
  }
}
