package org.longspan.executors.layer;

import java.util.ArrayList;
import java.util.List;
import org.longspan.executors.kernel.LinearAttention;
import org.longspan.executors.kernel.LinearTensors;
import org.longspan.executors.kernel.StateArrival;
import org.longspan.executors.layer.ParameterShape.GradientPart;
import org.longspan.executors.layer.ParameterShape.Kind;
import org.longspan.executors.math.Numerics;
import org.longspan.executors.memory.Matrix;
import org.longspan.parallelism.collective.Pending;
import org.longspan.parallelism.collective.ScanDirection;
import org.longspan.parallelism.collective.ScanPiece;
import org.longspan.parallelism.collective.StateScan;
import org.longspan.parallelism.collective.Transition;

/**
 * Linear attention, whose memory is a state: {@code [q | k | v | output gate | gates | β] = x W},
 * activated as its {@link LinearRule} says, an RMSNorm of each head's output, a sigmoid gate, and
 * an output product.
 *
 * <p>What crosses ranks is the state {@code [heads · headWidth, headWidth]}, by a scan that is in
 * flight while each piece's own part is computed, or as much of it as the attention does before it
 * waits for the state: forward from the first rank to the last, backward the other way. Each tensor
 * rank has some of the heads, and scans their states with the ranks that have the same ones; what
 * it gives is its part of a sum.
 */
final class LinearMixer implements Mixer {
  /** Tokens in a chunk: within one, pairs of tokens; between chunks, states. */
  private static final int CHUNK = 64;

  private static final String PROJECTION = "mixer.projection";
  private static final String GATE_BIAS = "mixer.gate-bias";
  private static final String NORM = "mixer.norm";
  private static final String OUTPUT = "mixer.output";

  private final RankEnvironment environment;

  /** Columns of the heads that are here. */
  private final int innerWidth;

  private final int heads;
  private final LinearRule rule;
  private final LinearAttention attention;
  private final StateScan scan;
  private final Matrix projected;
  private final Matrix attended;
  private final Matrix inverse;
  private final Matrix incoming;
  private final Matrix transition;
  private final Matrix summary;
  private final Matrix incomingGradient;
  private final LinearTensors activated;
  private final LinearTensors activatedGradient;
  private final Matrix attendedGradient;
  private final Matrix projectedGradient;
  private final TileScratch gatedTile;
  private final TileScratch gatedGradientTile;
  private final TileScratch siluTile;

  LinearMixer(RankEnvironment environment, BlockShape shape) {
    this(environment, shape, attention(environment, shape), scan(environment, shape));
  }

  /**
   * @param attention of the heads that are here; closed with this
   * @param scan of their states
   */
  LinearMixer(
      RankEnvironment environment, BlockShape shape, LinearAttention attention, StateScan scan) {
    this.environment = environment;
    int headWidth = shape.width() / shape.heads();
    this.heads = environment.place().share(shape.heads()).length();
    this.innerWidth = heads * headWidth;
    this.rule = LinearRule.of(shape.mixer());
    this.attention = attention;
    this.scan = scan;
    int capacity = environment.capacity();
    int columns = rule.projectionColumns(innerWidth, heads);
    long stateRows = (long) environment.mostPieces() * innerWidth;
    this.projected = environment.kept("projected", capacity, columns);
    this.attended = environment.kept("attended", capacity, innerWidth);
    this.inverse = environment.kept("inverse", capacity, heads);
    this.incoming = environment.arena().matrix(stateRows, headWidth);
    this.transition = environment.arena().matrix(stateRows, attention.transitionColumns());
    this.summary = environment.shared("state summary", stateRows, headWidth);
    this.incomingGradient = environment.shared("state gradient", stateRows, headWidth);
    this.attendedGradient = environment.shared("attended gradient", capacity, innerWidth);
    this.projectedGradient = environment.shared("projected gradient", capacity, columns);
    this.activated = tensors(environment.shared("activated", capacity, 3 * innerWidth), "");
    this.activatedGradient = tensors(projectedGradient, " gradient");
    this.gatedTile = environment.tileScratch("gated", innerWidth);
    this.gatedGradientTile = environment.tileScratch("gated gradient", innerWidth);
    this.siluTile = environment.tileScratch("silu", 2 * innerWidth);
  }

  private static LinearAttention attention(RankEnvironment environment, BlockShape shape) {
    return LinearRule.of(shape.mixer())
        .attention(
            environment.mode().kernel(),
            environment.numerics().precision(),
            shape,
            environment.place().share(shape.heads()),
            CHUNK,
            environment.workers());
  }

  private static StateScan scan(RankEnvironment environment, BlockShape shape) {
    int headWidth = shape.width() / shape.heads();
    return environment.scan(
        environment.place().share(shape.heads()).length(),
        headWidth,
        headWidth,
        LinearRule.of(shape.mixer()).transitionKind());
  }

  private LinearTensors tensors(Matrix side, String suffix) {
    int capacity = environment.capacity();
    int gates = rule.gateColumns(innerWidth, heads);
    int betas = rule.betaColumns(heads);
    return new LinearTensors(
        side.columns(0, innerWidth),
        side.columns(innerWidth, 2 * innerWidth),
        side.columns(2 * innerWidth, 3 * innerWidth),
        gates == 0 ? null : environment.shared("gates" + suffix, capacity, gates),
        betas == 0 ? null : environment.shared("beta" + suffix, capacity, betas));
  }

  /** The parameters of a mixer of this kind, as a rank at {@code place} holds them. */
  static List<ParameterShape> parameters(BlockShape shape, TensorPlace place) {
    LinearRule rule = LinearRule.of(shape.mixer());
    int width = shape.width();
    int headWidth = width / shape.heads();
    int gates = rule.gateColumns(width, shape.heads());
    Span own = place.share(shape.heads());
    List<ParameterShape> all = new ArrayList<>();
    all.add(
        new ParameterShape(
            PROJECTION,
            Side.all(width),
            rule.projectionSide(width, shape.heads(), own),
            Kind.WEIGHT));
    if (gates > 0) {
      all.add(
          new ParameterShape(
              GATE_BIAS,
              Side.all(1),
              Side.some(gates, own.times(gates / shape.heads())),
              Kind.MEMORY));
    }
    // All heads have the same gains, so each rank finds what its own heads give of their gradient.
    all.add(
        new ParameterShape(
            NORM, Side.all(1), Side.all(headWidth), Kind.GAIN, GradientPart.PARTIAL));
    all.add(
        new ParameterShape(
            OUTPUT, Side.some(width, own.times(headWidth)), Side.all(width), Kind.WEIGHT));
    return all;
  }

  @Override
  public void project(int worker, int first, Matrix normalized, Parameters parameters) {
    Matrix tile = projected.rows(first, first + normalized.rows());
    environment.numerics().products().multiply(normalized, parameters.value(PROJECTION), 0, tile);
    activate(first, normalized.rows(), parameters);
  }

  private void activate(int first, long rows, Parameters parameters) {
    Matrix bias = rule.gateColumns(innerWidth, heads) == 0 ? null : parameters.value(GATE_BIAS);
    rule.activate(
        environment.numerics(),
        heads,
        projected.rows(first, first + rows),
        bias,
        activated.rows(first, first + rows));
  }

  @Override
  public void attend(Parameters parameters) {
    incoming.zero();
    if (environment.isAlone()) {
      forward();
      return;
    }
    for (int i = 0; i < environment.pieces().size(); i++) {
      summarize(environment.pieces().get(i), state(summary, i), state(transition, i));
    }
    forward(scan.start(ScanDirection.FORWARD, scanPieces(incoming)));
  }

  /** With what comes from other ranks, or has come. */
  private void forward(Pending travelling) {
    if (isInOnePiece()) {
      Piece slice = environment.pieces().get(0);
      attention.forward(
          activated.rows(slice.first(), slice.last()),
          StateArrival.of(travelling, state(incoming, 0)),
          slice.documents(),
          attended.rows(slice.first(), slice.last()));
      return;
    }
    forward();
    travelling.await();
    addIncoming();
  }

  /** False where every block is a piece, and where there is none. */
  private boolean isInOnePiece() {
    return environment.mode().reproducibility() == RankMode.Reproducibility.FAST
        && environment.pieces().size() == 1;
  }

  private void summarize(Piece piece, Matrix stateSummary, Matrix stateTransition) {
    if (environment.endsSequence(piece)) {
      // Nobody asks for the state after it.
      stateSummary.zero();
      stateTransition.zero();
      return;
    }
    attention.summarize(
        activated.rows(piece.first(), piece.last()),
        piece.documents(),
        stateSummary,
        stateTransition);
  }

  @Override
  public void attendAgain(Parameters parameters) {
    if (environment.isAlone()) {
      forward();
    } else {
      forward(Pending.DONE);
    }
  }

  private void forward() {
    for (Piece piece : environment.pieces()) {
      attention.forward(
          activated.rows(piece.first(), piece.last()),
          piece.documents(),
          attended.rows(piece.first(), piece.last()));
    }
  }

  private void addIncoming() {
    for (int i = 0; i < environment.pieces().size(); i++) {
      Piece piece = environment.pieces().get(i);
      attention.addIncoming(
          activated.rows(piece.first(), piece.last()),
          state(incoming, i),
          piece.documents(),
          attended.rows(piece.first(), piece.last()));
    }
  }

  private Matrix state(Matrix ofPieces, int piece) {
    return ofPieces.rows((long) piece * innerWidth, (piece + 1L) * innerWidth);
  }

  private List<ScanPiece> scanPieces(Matrix arriving) {
    List<ScanPiece> pieces = new ArrayList<>();
    for (int i = 0; i < environment.pieces().size(); i++) {
      Matrix piece = state(transition, i);
      pieces.add(
          new ScanPiece(
              state(summary, i).bytes(),
              new Transition(rule.transitionKind(), piece.bytes()),
              state(arriving, i).bytes()));
    }
    return pieces;
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
            projected.rows(first, first + rows).columns(3 * innerWidth, 4 * innerWidth),
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
            projected.rows(first, first + rows).columns(3 * innerWidth, 4 * innerWidth),
            parameters.value(NORM),
            inverse.rows(first, first + rows),
            gatedGradient,
            attendedGradient.rows(first, first + rows),
            projectedGradient.rows(first, first + rows).columns(3 * innerWidth, 4 * innerWidth),
            parameters.gradient(worker, NORM));
    if (environment.mode().memory() == RankMode.LayerMemory.KEEP) {
      // Another layer has used the room since.
      activate(first, rows, parameters);
    }
  }

  @Override
  public void attendGradient(Parameters parameters) {
    if (environment.isAlone()) {
      backward();
      return;
    }
    for (int i = 0; i < environment.pieces().size(); i++) {
      Piece piece = environment.pieces().get(i);
      attention.summarizeGradient(
          activated.rows(piece.first(), piece.last()),
          attendedGradient.rows(piece.first(), piece.last()),
          piece.documents(),
          state(summary, i));
    }
    incomingGradient.zero();
    Pending travelling = scan.start(ScanDirection.BACKWARD, scanPieces(incomingGradient));
    if (isInOnePiece() && !environment.endsSequence(environment.pieces().get(0))) {
      Piece slice = environment.pieces().get(0);
      attention.backward(
          activated.rows(slice.first(), slice.last()),
          attendedGradient.rows(slice.first(), slice.last()),
          state(incoming, 0),
          StateArrival.of(travelling, state(incomingGradient, 0)),
          slice.documents(),
          activatedGradient.rows(slice.first(), slice.last()));
      return;
    }
    backward();
    travelling.await();
    for (int i = 0; i < environment.pieces().size(); i++) {
      Piece piece = environment.pieces().get(i);
      if (environment.endsSequence(piece)) {
        // No gradient comes from behind it.
        continue;
      }
      attention.addIncomingGradient(
          activated.rows(piece.first(), piece.last()),
          state(incoming, i),
          state(incomingGradient, i),
          piece.documents(),
          activatedGradient.rows(piece.first(), piece.last()));
    }
  }

  private void backward() {
    for (int i = 0; i < environment.pieces().size(); i++) {
      Piece piece = environment.pieces().get(i);
      attention.backward(
          activated.rows(piece.first(), piece.last()),
          attendedGradient.rows(piece.first(), piece.last()),
          state(incoming, i),
          piece.documents(),
          activatedGradient.rows(piece.first(), piece.last()));
    }
  }

  @Override
  public void projectGradient(
      int worker, int first, Matrix normalized, Matrix normalizedGradient, Parameters parameters) {
    Numerics numerics = environment.numerics();
    long rows = normalized.rows();
    Matrix gradient = projectedGradient.rows(first, first + rows);
    boolean isGated = rule.gateColumns(innerWidth, heads) > 0;
    rule.activateGradient(
        numerics,
        heads,
        projected.rows(first, first + rows),
        isGated ? parameters.value(GATE_BIAS) : null,
        activatedGradient.rows(first, first + rows),
        siluTile.of(worker, rows),
        gradient,
        isGated ? parameters.gradient(worker, GATE_BIAS) : null);
    numerics
        .products()
        .transposedMultiply(normalized, gradient, 1, parameters.gradient(worker, PROJECTION));
    numerics
        .products()
        .multiplyTransposed(gradient, parameters.value(PROJECTION), 0, normalizedGradient);
  }

  @Override
  public String description() {
    return attention.description() + ", " + scan.description();
  }

  @Override
  public void close() {
    attention.close();
  }
}
