package org.longspan.executors.kernel;

import com.aparapi.device.OpenCLDevice;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.longspan.datapipeline.InvalidInputException;
import org.longspan.executors.memory.Matrix;
import org.longspan.executors.opencl.KernelLauncher;
import org.longspan.executors.opencl.LaunchShape;
import org.longspan.executors.opencl.LaunchTime;
import org.longspan.executors.opencl.OpenClDevices;

/**
 * Runs {@link LinearCall}s of the gated delta rule on one OpenCL device: as many heads at once as
 * fit its buffers and the heap, inputs into staging arrays, a launch, outputs back. The arrays are
 * made anew only when a longer slice comes.
 *
 * <p>Threading: one thread at a time; its users hold its lock.
 */
final class DeltaLaunches implements AutoCloseable {
  private static final long MOST_BYTES = (1L << 31) - 1;
  private static final int HEAP_SHARE = 8;

  private final OpenCLDevice device;
  private final AttentionShape shape;
  private final int keyWidth;
  private final int valueWidth;
  private final ChunkGrid grid = new ChunkGrid(DeltaKernel.CHUNK);
  private final Side forward = new Side();
  private final Side backward = new Side();
  private boolean isTimed;
  private LaunchTime time = LaunchTime.NONE;

  /** The kernel for one direction, which needs less room forward. */
  private static final class Side {
    private DeltaRoom room;
    private KernelLauncher<DeltaKernel> launcher;
  }

  DeltaLaunches(OpenCLDevice device, AttentionShape shape) {
    this.device = device;
    this.shape = shape;
    this.keyWidth = padded(shape.keyWidth());
    this.valueWidth = padded(shape.valueWidth());
  }

  private static int padded(int width) {
    return (width + DeltaKernel.PAD - 1) / DeltaKernel.PAD * DeltaKernel.PAD;
  }

  /**
   * @param call its stages are those of {@link DeltaKernel}
   * @param transition what becomes of a state over the rows; null where it is not asked for
   */
  void run(LinearCall call, Matrix transition, Workers workers) {
    grid.plan(call.documents());
    Side side = call.isBackward() ? backward : forward;
    reserve(side, call.isBackward());
    for (int head = 0; head < shape.heads(); head += side.room.heads()) {
      int heads = Math.min(side.room.heads(), shape.heads() - head);
      new Heads(call, transition, workers, side.launcher, head, heads).run();
    }
  }

  void timeLaunches() {
    isTimed = true;
    for (Side side : List.of(forward, backward)) {
      if (side.launcher != null) {
        side.launcher.timeLaunches();
      }
    }
  }

  LaunchTime takeTime() {
    LaunchTime taken = time;
    time = LaunchTime.NONE;
    return taken;
  }

  /** One launch: a call for some of the heads. */
  private final class Heads {
    private final LinearCall call;
    private final Matrix transition;
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
        Matrix transition,
        Workers workers,
        KernelLauncher<DeltaKernel> launcher,
        int firstHead,
        int heads) {
      this.call = call;
      this.transition = transition;
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
      LinearTensors in = call.inputs();
      keys.stage(workers, in.k(), kernel.keySide, kernel.keysFrom);
      perHead.stage(workers, in.gates(), kernel.gates, 0);
      perHead.stage(workers, in.beta(), kernel.betas, 0);
      List<Object> inputs =
          new ArrayList<>(
              List.of(
                  kernel.stages,
                  kernel.starts,
                  kernel.fresh,
                  kernel.keySide,
                  kernel.gates,
                  kernel.betas,
                  kernel.before));
      if (in.q() != null) {
        keys.stage(workers, in.q(), kernel.keySide, 0);
      }
      if (in.v() != null) {
        values.stage(workers, in.v(), kernel.valueSide, 0);
      }
      if (call.outputGradient() != null) {
        values.stage(workers, call.outputGradient(), kernel.valueSide, kernel.gradientsFrom);
      }
      if (in.v() != null || call.outputGradient() != null) {
        inputs.add(kernel.valueSide);
      }
      stageStates(call.before(), kernel.before);
      if (call.isBackward()) {
        stageStates(call.after(), kernel.after);
        inputs.add(kernel.after);
      }
      return inputs;
    }

    private List<Object> outputs() {
      LinearTensors out = call.gradients();
      List<Object> outputs = new ArrayList<>();
      if (out.k() != null) {
        outputs.addAll(
            List.of(
                kernel.keyOutputs, kernel.valueOutputs, kernel.gateOutputs, kernel.betaOutputs));
      }
      if (call.outputs() != null) {
        outputs.add(kernel.valueOutputs);
      }
      if (call.passed() != null) {
        outputs.add(kernel.passed);
      }
      if (transition != null) {
        outputs.add(kernel.transition);
      }
      return outputs;
    }

    private void take() {
      LinearTensors out = call.gradients();
      take(keys, kernel.keyOutputs, 0, out.q());
      take(keys, kernel.keyOutputs, kernel.keysFrom, out.k());
      take(values, kernel.valueOutputs, 0, out.v());
      take(perHead, kernel.gateOutputs, 0, out.gates());
      take(perHead, kernel.betaOutputs, 0, out.beta());
      take(values, kernel.valueOutputs, 0, call.outputs());
      takeStates(kernel.passed, call.passed(), shape.valueWidth(), valueWidth);
      takeStates(kernel.transition, transition, shape.keyWidth(), keyWidth);
    }

    private void take(DeviceRows rows, float[] array, int offset, Matrix to) {
      if (to == null) {
        return;
      }
      if (call.adds()) {
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

  private void reserve(Side side, boolean hasGradients) {
    DeltaRoom wanted =
        new DeltaRoom(
            grid.start(grid.count()), grid.count(), 1, keyWidth, valueWidth, hasGradients);
    if (side.room != null && side.room.holds(wanted)) {
      return;
    }
    DeltaRoom room = withMostHeads(side.room == null ? wanted : wanted.orAtLeast(side.room));
    close(side);
    side.launcher = KernelLauncher.of(device, new DeltaTileKernel(room));
    side.room = room;
    if (isTimed) {
      side.launcher.timeLaunches();
    }
  }

  private DeltaRoom withMostHeads(DeltaRoom room) {
    long mostBuffer = Math.min(MOST_BYTES, device.getMaxMemAllocSize());
    long most = Math.min(Runtime.getRuntime().maxMemory() / HEAP_SHARE, device.getGlobalMemSize());
    int heads = shape.heads();
    while (heads > 1
        && (room.withHeads(heads).largestBytes() > mostBuffer
            || room.withHeads(heads).bytes() > most)) {
      heads--;
    }
    if (room.withHeads(heads).largestBytes() > mostBuffer) {
      throw new InvalidInputException(
          "A slice of "
              + room.tokens()
              + " tokens needs a buffer of "
              + room.withHeads(heads).largestBytes()
              + " bytes, more than "
              + OpenClDevices.name(device)
              + " allows; use more sequence ranks, or kernel cpu");
    }
    // Heads that share out evenly waste no transfer of an array that is not full.
    int launches = (shape.heads() + heads - 1) / heads;
    return room.withHeads((shape.heads() + launches - 1) / launches);
  }

  @Override
  public void close() {
    close(forward);
    close(backward);
  }

  private static void close(Side side) {
    if (side.launcher != null) {
      side.launcher.close();
    }
    side.launcher = null;
    side.room = null;
  }
}
