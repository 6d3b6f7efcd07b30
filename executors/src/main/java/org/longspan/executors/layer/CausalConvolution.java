package org.longspan.executors.layer;

import java.nio.ByteBuffer;
import java.util.ArrayList;
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
  private final Matrix inner;
  private final Matrix tail;
  private final Matrix result;
  private final int[] reaches;
  private final int[][] pieceReaches;
  private int haloRows;

  CausalConvolution(RankEnvironment environment, int width, int taps) {
    this.environment = environment;
    this.width = width;
    this.reach = taps - 1;
    // The halo and as many rows of the slice as see it: kept for the backward.
    this.edge = environment.arena().matrix(Math.max(1, 2L * reach), width);
    this.halo =
        environment.shared(
            "convolution halo", Math.max(1, (long) environment.outerPieces(reach) * reach), width);
    this.inner = environment.shared("convolution inner halo", Math.max(1, reach), width);
    this.tail = environment.shared("convolution tail", Math.max(1, reach), width);
    this.result = environment.shared("convolution result", environment.capacity(), width);
    this.reaches = new int[environment.capacity()];
    this.pieceReaches =
        environment.mostPieces() == 1
            ? new int[][] {reaches}
            : new int[environment.mostPieces()][environment.tile()];
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
        environment.fetchHalo(
            exchange, tail.bytes(0, seeing), bytesOfRow(), halo.bytes(0, haloRows));
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

  /** What {@link #forward} gave, again, with the halo that came then. */
  void forwardAgain(Matrix x, Matrix out, Parameters parameters) {
    int seeing = Math.min(reach, environment.input().length());
    findReaches();
    RowOperations rows = environment.numerics().rows();
    Matrix weights = parameters.value(TAPS);
    environment.forEachTile(
        (worker, first, count) ->
            rows.convolve(x, 0, weights, reaches, Math.max(seeing, first), first + count, out));
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
    if (pieceReaches.length > 1) {
      for (int i = 0; i < environment.pieces().size(); i++) {
        Piece piece = environment.pieces().get(i);
        System.arraycopy(reaches, piece.first(), pieceReaches[i], 0, piece.length());
      }
    }
  }

  /**
   * Turns {@code gradient}, of the output, into that of {@code x}, in place; adds to the taps'
   * gradient.
   *
   * <p>Each piece gives gradients to its own rows and to the rows before it, its halo, which lie in
   * other pieces, of this rank or another; they are added in the order of the pieces.
   */
  void backward(Matrix x, Matrix gradient, Parameters parameters) {
    int length = environment.input().length();
    int tailRows = Math.min(reach, length);
    findReaches();
    parameters.forEachTile(
        (worker, first, count) -> tileGradient(worker, first, count, x, gradient, parameters));
    addInnerHaloGradients(gradient, parameters.value(TAPS));
    // What comes from the right is added to the tail in the order of the pieces that it is from.
    Matrix last = result.rows((long) length - tailRows, length);
    environment
        .returnHaloGradients(
            reach, outerHaloGradients(gradient, parameters.value(TAPS)), bytesOfRow(), last.bytes())
        .await();
    gradient.set(result.rows(0, length));
  }

  /** What the pieces give to rows before the slice; each has room of its own. */
  private List<ByteBuffer> outerHaloGradients(Matrix gradient, Matrix weights) {
    List<ByteBuffer> outer = new ArrayList<>();
    for (int i = 0; i < environment.pieces().size(); i++) {
      Piece piece = environment.pieces().get(i);
      int rows = environment.haloRows(piece, reach) - piece.first();
      if (rows <= 0) {
        break;
      }
      Matrix room = halo.rows((long) i * reach, (long) i * reach + rows);
      haloGradient(i, gradient, weights, 0, rows, room);
      outer.add(room.bytes());
    }
    return outer;
  }

  private void addInnerHaloGradients(Matrix gradient, Matrix weights) {
    for (int i = 1; i < environment.pieces().size(); i++) {
      Piece piece = environment.pieces().get(i);
      int rows = environment.haloRows(piece, reach);
      int outer = Math.max(0, rows - piece.first());
      haloGradient(i, gradient, weights, outer, rows, inner);
      environment
          .numerics()
          .rows()
          .add(
              inner.rows(outer, rows),
              result.rows((long) piece.first() - rows + outer, piece.first()));
    }
  }

  /** Rows {@code [from, to)} of the gradient of piece {@code index}'s halo. */
  private void haloGradient(
      int index, Matrix gradient, Matrix weights, int from, int to, Matrix out) {
    Piece piece = environment.pieces().get(index);
    environment
        .numerics()
        .rows()
        .convolveGradient(
            gradient.rows(piece.first(), piece.last()),
            environment.haloRows(piece, reach),
            weights,
            pieceReaches[index],
            from,
            to,
            out);
  }

  private void tileGradient(
      int worker, int first, int count, Matrix x, Matrix gradient, Parameters parameters) {
    int index = environment.pieces().size() == 1 ? 0 : first / environment.tile();
    Piece piece = environment.pieces().get(index);
    RowOperations rows = environment.numerics().rows();
    rows.convolveGradient(
        gradient.rows(piece.first(), piece.last()),
        0,
        parameters.value(TAPS),
        pieceReaches[index],
        first - piece.first(),
        first - piece.first() + count,
        result.rows(piece.first(), piece.last()));
    Matrix taps = parameters.gradient(worker, TAPS);
    int seeing = Math.min(reach, environment.input().length());
    int afterEdge = Math.max(first, Math.min(seeing, first + count));
    rows.convolveTapsGradient(edge, haloRows, gradient, reaches, first, afterEdge, taps);
    rows.convolveTapsGradient(x, 0, gradient, reaches, afterEdge, first + count, taps);
  }
}
