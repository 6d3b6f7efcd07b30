package org.longspan.executors.kernel;

import com.aparapi.device.OpenCLDevice;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.longspan.datapipeline.InvalidInputException;
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
  private final DeviceRule rule;
  private final LinearForm form;
  private final AttentionShape shape;
  private final Storage storage;
  private final int keyWidth;
  private final int valueWidth;
  private final ChunkGrid grid;
  private final LaunchSide forward;
  private final LaunchSide backward;
  private LaunchTime time = LaunchTime.NONE;

  /**
   * @throws InvalidInputException if heads are wider than the form takes
   */
  LinearLaunches(
      OpenCLDevice device,
      DeviceRule rule,
      LinearForm form,
      AttentionShape shape,
      Storage storage,
      LaunchLimits limits) {
    LinearPlan plan = rule.plan(form);
    int widest = Math.max(shape.keyWidth(), shape.valueWidth());
    if (widest > plan.widest()) {
      throw new InvalidInputException(
          "kernel: aparapi has "
              + rule.label()
              + " for heads of up to "
              + plan.widest()
              + " columns, not "
              + widest
              + "; set kernel: cpu");
    }
    this.rule = rule;
    this.form = form;
    this.shape = shape;
    this.storage = storage;
    this.grid = new ChunkGrid(plan.chunk());
    this.forward = new LaunchSide(device, limits, shape.heads());
    this.backward = new LaunchSide(device, limits, shape.heads());
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
    LaunchSide side = call.isBackward() ? backward : forward;
    side.reserve(
        new LinearRoom(
            rule,
            form,
            grid.start(grid.count()),
            grid.count(),
            1,
            keyWidth,
            valueWidth,
            call.isBackward(),
            storage));
    for (int head = 0; head < shape.heads(); head += side.heads()) {
      int heads = Math.min(side.heads(), shape.heads() - head);
      new Heads(call, slopes, workers, side.launcher(), head, heads).run();
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
    private final LinearReads reads;
    private final LinearWrites writes;
    private final double[] slopes;
    private final Workers workers;
    private final KernelLauncher<LinearKernel> launcher;
    private final LinearKernel kernel;
    private final int firstHead;
    private final int heads;
    private final DeviceRows keys;
    private final DeviceRows values;
    private final DeviceRows perHead;
    private final DeviceRows gates;

    Heads(
        LinearCall call,
        double[] slopes,
        Workers workers,
        KernelLauncher<LinearKernel> launcher,
        int firstHead,
        int heads) {
      this.call = call;
      this.reads = call.reads();
      this.writes = call.writes();
      this.slopes = slopes;
      this.workers = workers;
      this.launcher = launcher;
      this.kernel = launcher.kernel();
      this.firstHead = firstHead;
      this.heads = heads;
      this.keys = rows(shape.keyWidth(), keyWidth);
      this.values = rows(shape.valueWidth(), valueWidth);
      this.perHead = rows(1, 1);
      this.gates = rule.gateWidth(keyWidth) > 1 ? keys : perHead;
    }

    private DeviceRows rows(int width, int padded) {
      int count = call.documents().tokens();
      return new DeviceRows(call.firstRow(), count, firstHead, heads, width, padded);
    }

    void run() {
      describe();
      List<Object> inputs = stage();
      launcher.launch(
          new LaunchShape(kernel.groups(), kernel.groupSize(), call.stages().size()),
          inputs,
          outputs());
      time = time.plus(launcher.takeTime());
      take();
    }

    /** Sets the kernel's numbers: sizes, stages, chunks, constant decays. */
    private void describe() {
      int tokens = call.documents().tokens();
      kernel.use(tokens, grid.count(), heads);
      for (int pass = 0; pass < call.stages().size(); pass++) {
        kernel.stages[pass] = call.stages().get(pass);
      }
      for (int chunk = 0; chunk < grid.count(); chunk++) {
        kernel.starts[chunk] = grid.start(chunk);
        kernel.fresh[chunk] = grid.isFresh(chunk) ? 1 : 0;
      }
      kernel.starts[grid.count()] = tokens;
      for (int head = 0; head < heads && slopes != null; head++) {
        double slope = slopes[firstHead + head];
        kernel.slopes[head] = FloatNumber.of(slope);
        for (int chunk = 0; chunk < grid.count(); chunk++) {
          double factor = Math.exp(-slope * grid.length(chunk));
          kernel.factors[chunk * heads + head] = FloatNumber.of(factor);
        }
      }
    }

    private List<Object> stage() {
      LinearTensors in = reads.tensors();
      List<Object> inputs =
          new ArrayList<>(List.of(kernel.stages, kernel.starts, kernel.fresh, kernel.slopes));
      if (slopes != null) {
        inputs.add(kernel.factors);
      }
      stage(keys, in.q(), kernel.keyInputs(), 0);
      stage(keys, in.k(), kernel.keyInputs(), kernel.keysFrom);
      if (in.q() != null || in.k() != null) {
        inputs.add(kernel.keyInputs());
      }
      stage(values, in.v(), kernel.valueInputs(), 0);
      stage(values, reads.outputGradient(), kernel.valueInputs(), kernel.gradientsFrom);
      if (in.v() != null || reads.outputGradient() != null) {
        inputs.add(kernel.valueInputs());
      }
      stage(gates, in.gates(), kernel.gates, 0);
      if (in.gates() != null) {
        inputs.add(kernel.gates);
      }
      stage(perHead, in.beta(), kernel.betas, 0);
      if (in.beta() != null) {
        inputs.add(kernel.betas);
      }
      stageStates(reads.before(), kernel.before);
      inputs.add(kernel.before);
      if (call.isBackward()) {
        stageStates(reads.after(), kernel.after);
        inputs.add(kernel.after);
      }
      return inputs;
    }

    private void stage(DeviceRows rows, Matrix from, Object array, int offset) {
      if (from != null) {
        rows.stage(workers, from, array, offset);
      }
    }

    private List<Object> outputs() {
      LinearTensors out = writes.gradients();
      List<Object> outputs = new ArrayList<>();
      if (out.q() != null || out.k() != null) {
        outputs.add(kernel.keyResults());
      }
      if (out.v() != null || writes.outputs() != null) {
        outputs.add(kernel.valueResults());
      }
      if (out.gates() != null) {
        outputs.add(kernel.gateOutputs);
      }
      if (out.beta() != null) {
        outputs.add(kernel.betaOutputs);
      }
      if (writes.passed() != null) {
        outputs.add(kernel.passed);
      }
      if (writes.transition() != null) {
        outputs.add(kernel.transition);
      }
      return outputs;
    }

    private void take() {
      LinearTensors out = writes.gradients();
      take(keys, kernel.keyResults(), 0, out.q());
      take(keys, kernel.keyResults(), kernel.keysFrom, out.k());
      take(values, kernel.valueResults(), 0, out.v());
      take(gates, kernel.gateOutputs, 0, out.gates());
      take(perHead, kernel.betaOutputs, 0, out.beta());
      take(values, kernel.valueResults(), 0, writes.outputs());
      takeStates(kernel.passed, writes.passed(), shape.valueWidth(), valueWidth);
      takeStates(kernel.transition, writes.transition(), shape.keyWidth(), keyWidth);
    }

    private void take(DeviceRows rows, Object array, int offset, Matrix to) {
      if (to == null) {
        return;
      }
      if (writes.adds()) {
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
