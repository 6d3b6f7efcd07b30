package org.longspan.executors.bench.kernel;

import java.util.SplittableRandom;
import org.longspan.executors.kernel.AttentionShape;
import org.longspan.executors.kernel.Workers;
import org.longspan.executors.memory.Arena;
import org.longspan.executors.memory.FloatMatrix;
import org.longspan.executors.memory.Matrix;
import org.longspan.executors.memory.Precision;
import org.longspan.executors.opencl.DeviceTimed;

/** One kernel with the numbers that it works on. */
abstract class KernelCase implements AutoCloseable {
  private static final String NAME = "kernel benchmark";

  private final AttentionShape shape;
  private final Arena arena = new Arena(NAME, Precision.FLOAT);
  private final SplittableRandom random = new SplittableRandom(1);

  KernelCase(AttentionShape shape) {
    this.shape = shape;
  }

  static KernelCase of(
      BenchedKernel kernel, KernelForm form, KernelBenchOptions options, Workers workers) {
    AttentionShape shape = kernel.shape(options.heads(), options.width());
    int tokens = options.tokens();
    return kernel.isSoftmax()
        ? new SoftmaxCase(
            shape, tokens, kernel.window(tokens, options.window()), form.choice(), workers)
        : new LinearCase(kernel, shape, tokens, form.choice(), workers);
  }

  final AttentionShape shape() {
    return shape;
  }

  /** One call, from matrices to matrices. */
  abstract void run(KernelPass pass);

  /** What computes it. */
  abstract String description();

  /** The attention. */
  abstract AutoCloseable attention();

  /** Whether {@link #kernelSeconds} can be measured. */
  final boolean canTellKernels() {
    return attention() instanceof DeviceTimed;
  }

  /** One call's kernels alone. */
  final double kernelSeconds(KernelPass pass) {
    DeviceTimed timed = (DeviceTimed) attention();
    timed.timeLaunches();
    timed.takeLaunchTime();
    run(pass);
    return timed.takeLaunchTime().nanoseconds() / 1e9;
  }

  final Matrix zeros(int rows, int columns) {
    return arena.matrix(rows, columns);
  }

  /** Numbers between two bounds. */
  final Matrix numbers(int rows, int columns, double from, double to) {
    FloatMatrix matrix = (FloatMatrix) arena.matrix(rows, columns);
    float[] row = new float[columns];
    for (int r = 0; r < rows; r++) {
      for (int i = 0; i < columns; i++) {
        row[i] = (float) random.nextDouble(from, to);
      }
      matrix.write(r, 0, row, 0, columns);
    }
    return matrix;
  }

  /** Rows whose heads have length one. */
  final Matrix unitNumbers(int rows, int heads, int width) {
    FloatMatrix matrix = (FloatMatrix) numbers(rows, heads * width, -1, 1);
    float[] head = new float[width];
    for (int r = 0; r < rows; r++) {
      for (int h = 0; h < heads; h++) {
        matrix.read(r, h * width, head, 0, width);
        double squares = 0;
        for (float x : head) {
          squares += (double) x * x;
        }
        for (int i = 0; i < width; i++) {
          head[i] = (float) (head[i] / Math.sqrt(squares));
        }
        matrix.write(r, h * width, head, 0, width);
      }
    }
    return matrix;
  }

  @Override
  public void close() {
    arena.close();
  }
}
