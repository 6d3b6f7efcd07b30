package org.longspan.executors.layer;

import java.util.List;
import org.longspan.executors.kernel.Documents;
import org.longspan.executors.layer.ParameterShape.Kind;
import org.longspan.executors.math.RowOperations;
import org.longspan.executors.memory.Matrix;
import org.longspan.parallelism.collective.HaloExchange;
import org.longspan.parallelism.collective.Pending;

/**
 * {@code x ← x + conv(x)}: a causal depthwise convolution, a weight for each tap and channel, no
 * bias, no activation. Its halo of {@code taps − 1} rows comes from the left; it stops at document
 * boundaries.
 */
final class CausalConvolution {
  private static final String TAPS = "convolution";

  private final RankEnvironment environment;
  private final int width;
  private final int reach;
  private final Matrix edge;
  private final Matrix halo;
  private final Matrix tail;
  private final Matrix result;
  private final int[] reaches;
  private int haloRows;

  CausalConvolution(RankEnvironment environment, int width, int taps) {
    this.environment = environment;
    this.width = width;
    this.reach = taps - 1;
    // The halo and as many rows of the slice as see it: kept for the backward.
    this.edge = environment.arena().matrix(Math.max(1, 2L * reach), width);
    this.halo = environment.shared("convolution halo", Math.max(1, reach), width);
    this.tail = environment.shared("convolution tail", Math.max(1, reach), width);
    this.result = environment.shared("convolution result", environment.capacity(), width);
    this.reaches = new int[environment.capacity()];
  }

  /** The parameters of such a convolution. */
  static List<ParameterShape> parameters(int width, int taps) {
    return List.of(new ParameterShape(TAPS, taps, width, Kind.TAPS));
  }

  /** {@code out = x + conv(x)}, both {@code [tokens, width]}. */
  void forward(Matrix x, Matrix out, Parameters parameters) {
    int length = environment.input().length();
    int seeing = Math.min(reach, length);
    HaloExchange exchange = environment.halo(reach);
    haloRows = exchange.length();
    tail.rows(0, seeing).set(x.rows(length - seeing, length));
    Pending travelling =
        exchange.fromLeft(tail.bytes(0, seeing), bytesOfRow(), halo.bytes(0, haloRows));
    findReaches();
    RowOperations rows = environment.numerics().rows();
    Matrix weights = parameters.value(TAPS);
    environment.forEachTile(
        (worker, first, count) ->
            rows.convolve(x, 0, weights, reaches, Math.max(seeing, first), first + count, out));
    travelling.await();
    edge.rows(0, haloRows).set(halo.rows(0, haloRows));
    edge.rows(haloRows, (long) haloRows + seeing).set(x.rows(0, seeing));
    rows.convolve(edge, haloRows, weights, reaches, 0, seeing, out);
  }

  private int bytesOfRow() {
    return width * environment.elementType().bytes();
  }

  private void findReaches() {
    Documents documents = environment.input().documents();
    for (int t = 0; t < documents.tokens(); t++) {
      long toStart = t - documents.startOf(t);
      reaches[t] = (int) Math.min(Math.min(reach, toStart), (long) haloRows + t);
    }
  }

  /**
   * Turns {@code gradient}, of the output, into that of {@code x}, in place; adds to the taps'
   * gradient.
   */
  void backward(Matrix x, Matrix gradient, Parameters parameters) {
    int length = environment.input().length();
    int seeing = Math.min(reach, length);
    RowOperations rows = environment.numerics().rows();
    Matrix weights = parameters.value(TAPS);
    findReaches();
    HaloExchange exchange = environment.halo(reach);
    rows.convolveGradient(gradient, haloRows, weights, reaches, 0, haloRows, halo);
    tail.zero();
    Pending travelling =
        exchange.gradientToLeft(
            halo.bytes(0, haloRows),
            environment.elementType(),
            bytesOfRow(),
            tail.bytes(0, seeing));
    environment.forEachTile(
        (worker, first, count) -> {
          rows.convolveGradient(gradient, 0, weights, reaches, first, first + count, result);
          rows.convolveTapsGradient(
              x,
              0,
              gradient,
              reaches,
              Math.max(seeing, first),
              first + count,
              parameters.gradient(worker, TAPS));
        });
    rows.convolveTapsGradient(
        edge, haloRows, gradient, reaches, 0, seeing, parameters.gradient(0, TAPS));
    travelling.await();
    rows.add(tail.rows(0, seeing), result.rows(length - seeing, length));
    gradient.set(result.rows(0, length));
  }
}
