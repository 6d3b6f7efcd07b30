package org.longspan.executors.layer;

import java.util.List;
import org.longspan.executors.kernel.AttentionShape;
import org.longspan.executors.kernel.Documents;
import org.longspan.executors.kernel.Kernels;
import org.longspan.executors.kernel.LinearAttention;
import org.longspan.executors.kernel.LinearTensors;
import org.longspan.executors.layer.ParameterShape.Kind;
import org.longspan.executors.math.Numerics;
import org.longspan.executors.memory.Matrix;
import org.longspan.parallelism.collective.AllScan;
import org.longspan.parallelism.collective.Pending;
import org.longspan.parallelism.collective.ScanDirection;

/**
 * Linear attention with a constant decay for each head (Lightning Attention-2, arXiv 2401.04658):
 * {@code [q | k | v | gate] = x W}, SiLU on q, k and v, an RMSNorm of each head's output, a sigmoid
 * gate, and an output product.
 *
 * <p>What crosses ranks is the state {@code [heads · headWidth, headWidth]}, by an All-Scan that is
 * in flight while the slice's own part is computed: forward from the first rank to the last,
 * backward the other way.
 */
final class LightningMixer implements Mixer {
  /** Tokens in a chunk: within one, pairs of tokens; between chunks, states. */
  static final int CHUNK = 64;

  private static final String PROJECTION = "mixer.projection";
  private static final String NORM = "mixer.norm";
  private static final String OUTPUT = "mixer.output";

  private final RankEnvironment environment;
  private final int width;
  private final int headWidth;
  private final LinearAttention attention;
  private final AllScan scan;
  private final double[] rowTransition;
  private final Matrix projected;
  private final Matrix attended;
  private final Matrix inverse;
  private final Matrix incoming;
  private final Matrix transition;
  private final Matrix summary;
  private final Matrix incomingGradient;
  private final Matrix activated;
  private final Matrix attendedGradient;
  private final Matrix projectedGradient;
  private final TileScratch gatedTile;
  private final TileScratch gatedGradientTile;

  LightningMixer(RankEnvironment environment, int width, int heads, double[] slopes) {
    this.environment = environment;
    this.width = width;
    this.headWidth = width / heads;
    this.attention =
        Kernels.linear(
            environment.kernel(),
            environment.numerics().precision(),
            new AttentionShape(heads, headWidth, headWidth),
            slopes,
            CHUNK,
            environment.workers());
    this.scan =
        new AllScan(
            environment.sequence(),
            environment.elementType(),
            width,
            headWidth,
            AllScan.blocks(
                environment.sequence().size(),
                (long) width * headWidth * environment.elementType().bytes()));
    this.rowTransition = new double[width];
    int capacity = environment.capacity();
    this.projected = environment.arena().matrix(capacity, 4 * width);
    this.attended = environment.arena().matrix(capacity, width);
    this.inverse = environment.arena().matrix(capacity, heads);
    this.incoming = environment.arena().matrix(width, headWidth);
    this.transition = environment.arena().matrix(width, 1);
    this.summary = environment.shared("state summary", width, headWidth);
    this.incomingGradient = environment.shared("state gradient", width, headWidth);
    this.activated = environment.shared("activated", capacity, 3 * width);
    this.attendedGradient = environment.shared("attended gradient", capacity, width);
    this.projectedGradient = environment.shared("projected gradient", capacity, 4 * width);
    this.gatedTile = environment.tileScratch("gated", width);
    this.gatedGradientTile = environment.tileScratch("gated gradient", width);
  }

  /** The parameters of a mixer of this kind. */
  static List<ParameterShape> parameters(int width, int heads) {
    return List.of(
        new ParameterShape(PROJECTION, width, 4 * width, Kind.WEIGHT),
        new ParameterShape(NORM, 1, width / heads, Kind.GAIN),
        new ParameterShape(OUTPUT, width, width, Kind.WEIGHT));
  }

  @Override
  public void project(int worker, int first, Matrix normalized, Parameters parameters) {
    Matrix tile = projected.rows(first, first + normalized.rows());
    environment.numerics().products().multiply(normalized, parameters.value(PROJECTION), 0, tile);
    activate(first, normalized.rows());
  }

  private void activate(int first, long rows) {
    environment
        .numerics()
        .rows()
        .silu(
            projected.rows(first, first + rows).columns(0, 3 * width),
            activated.rows(first, first + rows));
  }

  @Override
  public void attend() {
    Documents documents = environment.input().documents();
    LinearTensors inputs = inputs();
    Matrix o = live(attended);
    incoming.zero();
    if (environment.sequence().size() == 1) {
      attention.forward(inputs, documents, o);
      return;
    }
    attention.summarize(inputs, documents, summary, transition);
    Pending travelling =
        scan.start(ScanDirection.FORWARD, summary.bytes(), factors(), incoming.bytes());
    attention.forward(inputs, documents, o);
    travelling.await();
    attention.addIncoming(inputs, incoming, documents, o);
  }

  private LinearTensors inputs() {
    return LinearTensors.of(activated(0), activated(1), activated(2));
  }

  private double[] factors() {
    for (int row = 0; row < width; row++) {
      rowTransition[row] = transition.get(row, 0);
    }
    return rowTransition;
  }

  private Matrix activated(int part) {
    return live(activated).columns(part * width, (part + 1) * width);
  }

  private Matrix live(Matrix whole) {
    return whole.rows(0, environment.input().length());
  }

  @Override
  public void join(int worker, int first, Matrix stream, Parameters parameters) {
    Numerics numerics = environment.numerics();
    Matrix gated = gated(worker, first, stream.rows(), parameters);
    numerics.products().multiply(gated, parameters.value(OUTPUT), 1, stream);
  }

  private Matrix gated(int worker, int first, long rows, Parameters parameters) {
    Matrix gated = gatedTile.of(worker, rows);
    environment
        .numerics()
        .rows()
        .normalizeAndGate(
            attended.rows(first, first + rows),
            projected.rows(first, first + rows).columns(3 * width, 4 * width),
            parameters.value(NORM),
            gated,
            inverse.rows(first, first + rows));
    return gated;
  }

  @Override
  public void joinGradient(int worker, int first, Matrix streamGradient, Parameters parameters) {
    Numerics numerics = environment.numerics();
    long rows = streamGradient.rows();
    Matrix gated = gated(worker, first, rows, parameters);
    numerics
        .products()
        .transposedMultiply(gated, streamGradient, 1, parameters.gradient(worker, OUTPUT));
    Matrix gatedGradient = gatedGradientTile.of(worker, rows);
    numerics
        .products()
        .multiplyTransposed(streamGradient, parameters.value(OUTPUT), 0, gatedGradient);
    numerics
        .rows()
        .normalizeAndGateGradient(
            attended.rows(first, first + rows),
            projected.rows(first, first + rows).columns(3 * width, 4 * width),
            parameters.value(NORM),
            inverse.rows(first, first + rows),
            gatedGradient,
            attendedGradient.rows(first, first + rows),
            projectedGradient.rows(first, first + rows).columns(3 * width, 4 * width),
            parameters.gradient(worker, NORM));
    activate(first, rows);
  }

  @Override
  public void attendGradient() {
    Documents documents = environment.input().documents();
    LinearTensors inputs = inputs();
    Matrix o = live(attendedGradient);
    Matrix gradient = live(projectedGradient);
    LinearTensors gradients =
        LinearTensors.of(
            gradient.columns(0, width),
            gradient.columns(width, 2 * width),
            gradient.columns(2 * width, 3 * width));
    if (environment.sequence().size() == 1) {
      attention.backward(inputs, o, incoming, documents, gradients);
      return;
    }
    attention.summarizeGradient(inputs, o, documents, summary);
    incomingGradient.zero();
    Pending travelling =
        scan.start(ScanDirection.BACKWARD, summary.bytes(), factors(), incomingGradient.bytes());
    attention.backward(inputs, o, incoming, documents, gradients);
    travelling.await();
    attention.addIncomingGradient(inputs, incoming, incomingGradient, documents, gradients);
  }

  @Override
  public void projectGradient(
      int worker, int first, Matrix normalized, Matrix normalizedGradient, Parameters parameters) {
    Numerics numerics = environment.numerics();
    long rows = normalized.rows();
    Matrix gradient = projectedGradient.rows(first, first + rows);
    numerics
        .rows()
        .siluGradient(
            projected.rows(first, first + rows).columns(0, 3 * width),
            gradient.columns(0, 3 * width));
    numerics
        .products()
        .transposedMultiply(normalized, gradient, 1, parameters.gradient(worker, PROJECTION));
    numerics
        .products()
        .multiplyTransposed(gradient, parameters.value(PROJECTION), 0, normalizedGradient);
  }

  @Override
  public String description() {
    return attention.description();
  }

  @Override
  public void close() {
    attention.close();
  }
}
