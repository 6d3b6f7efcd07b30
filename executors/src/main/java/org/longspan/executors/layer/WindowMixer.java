package org.longspan.executors.layer;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import org.longspan.executors.kernel.AttentionShape;
import org.longspan.executors.kernel.Kernels;
import org.longspan.executors.kernel.WindowAttention;
import org.longspan.executors.layer.ParameterShape.Kind;
import org.longspan.executors.math.Numerics;
import org.longspan.executors.math.RowOperations;
import org.longspan.executors.memory.Matrix;
import org.longspan.parallelism.collective.HaloExchange;
import org.longspan.parallelism.collective.Pending;

/**
 * Causal softmax attention over a sliding window, with rotary positions: {@code [q | k | v] = x W},
 * scores over {@code √headWidth}, and an output product. The keys and values of the {@code window −
 * 1} tokens before the slice, its halo, come from the ranks to the left while the rows that need
 * none are computed; their gradients go back the same way. Each tensor rank has some of the heads;
 * what it gives is its part of a sum.
 */
final class WindowMixer implements Mixer {
  private static final String PROJECTION = "mixer.projection";
  private static final String OUTPUT = "mixer.output";

  private final RankEnvironment environment;

  /** Columns of the heads that are here. */
  private final int innerWidth;

  private final int headWidth;
  private final int reach;
  private final double scale;
  private final WindowAttention attention;
  private final Matrix queries;
  private final Matrix keys;
  private final Matrix values;
  private final Matrix attended;
  private final Matrix logSums;
  private final Matrix attendedGradient;
  private final Matrix queryGradient;
  private final Matrix keyGradient;
  private final Matrix valueGradient;
  private final Matrix tail;
  private final Matrix halo;
  private final Matrix haloGradient;
  private final Matrix pieceKeyGradient;
  private final Matrix pieceValueGradient;
  private final TileScratch projectedTile;

  /**
   * @param width columns of the stream
   * @param wholeHeads heads over all tensor ranks
   */
  WindowMixer(RankEnvironment environment, int width, int wholeHeads, int window) {
    this.environment = environment;
    int heads = environment.place().share(wholeHeads).length();
    this.headWidth = width / wholeHeads;
    this.innerWidth = heads * headWidth;
    this.reach = window - 1;
    this.scale = 1 / Math.sqrt(headWidth);
    this.attention =
        Kernels.window(
            environment.mode().kernel(),
            environment.numerics().precision(),
            new AttentionShape(heads, headWidth, headWidth),
            window,
            environment.workers());
    int capacity = environment.capacity();
    this.queries = environment.kept("window queries", capacity, innerWidth);
    this.keys = environment.kept("window keys", (long) reach + capacity, innerWidth);
    this.values = environment.kept("window values", (long) reach + capacity, innerWidth);
    this.attended = environment.kept("window attended", capacity, innerWidth);
    this.logSums = environment.kept("window log sums", capacity, heads);
    this.attendedGradient = environment.shared("attended gradient", capacity, innerWidth);
    this.queryGradient = environment.shared("query gradient", capacity, innerWidth);
    this.keyGradient = environment.shared("key gradient", (long) reach + capacity, innerWidth);
    this.valueGradient = environment.shared("value gradient", (long) reach + capacity, innerWidth);
    this.tail = environment.shared("window tail", Math.max(1, reach), 2 * innerWidth);
    // What came from other ranks stays until the backward, whatever else is computed again.
    this.halo = environment.arena().matrix(Math.max(1, reach), 2 * innerWidth);
    this.haloGradient =
        environment.shared(
            "window halo gradient",
            Math.max(1, (long) environment.outerPieces(reach) * reach),
            2 * innerWidth);
    long seen = (long) reach + Math.min(environment.tile(), capacity);
    this.pieceKeyGradient = environment.shared("piece key gradient", seen, innerWidth);
    this.pieceValueGradient = environment.shared("piece value gradient", seen, innerWidth);
    this.projectedTile = environment.tileScratch("projected", 3 * innerWidth);
  }

  /** The parameters of a mixer of this kind, as a rank at {@code place} holds them. */
  static List<ParameterShape> parameters(int width, int heads, TensorPlace place) {
    Span own = place.share(heads).times(width / heads);
    Side projection = Side.some(3 * width, own, own.shifted(width), own.shifted(2 * width));
    return List.of(
        new ParameterShape(PROJECTION, Side.all(width), projection, Kind.WEIGHT),
        new ParameterShape(OUTPUT, Side.some(width, own), Side.all(width), Kind.WEIGHT));
  }

  @Override
  public void project(int worker, int first, Matrix normalized, Parameters parameters) {
    Numerics numerics = environment.numerics();
    long rows = normalized.rows();
    Matrix tile = projectedTile.of(worker, rows);
    numerics.products().multiply(normalized, parameters.value(PROJECTION), 0, tile);
    long position = environment.input().firstPosition() + first;
    numerics
        .rows()
        .rotate(
            tile.columns(0, innerWidth),
            position,
            headWidth,
            scale,
            queries.rows(first, first + rows));
    numerics
        .rows()
        .rotate(
            tile.columns(innerWidth, 2 * innerWidth),
            position,
            headWidth,
            1,
            own(keys, first, rows));
    own(values, first, rows).set(tile.columns(2 * innerWidth, 3 * innerWidth));
  }

  /** Rows of the slice itself, behind the room for the halo. */
  private Matrix own(Matrix withHalo, long first, long rows) {
    return withHalo.rows(reach + first, reach + first + rows);
  }

  /** The rows that the slice's rows {@code [first, last)} see: themselves and their halo. */
  private Matrix seen(Matrix withHalo, int haloRows, int first, int last) {
    return withHalo.rows((long) reach + first - haloRows, (long) reach + last);
  }

  @Override
  public void attend(Parameters parameters) {
    int length = environment.input().length();
    HaloExchange exchange = environment.halo(reach);
    int tailRows = Math.min(reach, length);
    pack(keys, values, length - tailRows, tailRows, tail);
    Pending travelling =
        environment.fetchHalo(
            exchange, tail.bytes(0, tailRows), bytesOfRow(), halo.bytes(0, exchange.length()));
    for (Piece piece : environment.pieces()) {
      forward(piece, Math.max(0, firstWithoutHalo(piece)), piece.length());
    }
    travelling.await();
    takeHalo(exchange.length());
    for (Piece piece : environment.pieces()) {
      forward(piece, 0, Math.max(0, firstWithoutHalo(piece)));
    }
  }

  @Override
  public void attendAgain(Parameters parameters) {
    takeHalo(environment.haloRows(reach));
    for (Piece piece : environment.pieces()) {
      forward(piece, 0, piece.length());
    }
  }

  /**
   * The piece's first row that sees no row before the slice. A block of the grid is never cut:
   * where rows are cut decides how they are summed.
   */
  private int firstWithoutHalo(Piece piece) {
    int rows = Math.min(piece.length(), reach - piece.first());
    return switch (environment.mode().reproducibility()) {
      case FAST -> rows;
      case BITWISE -> rows > 0 ? piece.length() : 0;
    };
  }

  private void takeHalo(int rows) {
    keys.rows((long) reach - rows, reach).set(halo.rows(0, rows).columns(0, innerWidth));
    values
        .rows((long) reach - rows, reach)
        .set(halo.rows(0, rows).columns(innerWidth, 2 * innerWidth));
  }

  private void pack(Matrix ofKeys, Matrix ofValues, int first, int rows, Matrix packed) {
    packed.rows(0, rows).columns(0, innerWidth).set(own(ofKeys, first, rows));
    packed.rows(0, rows).columns(innerWidth, 2 * innerWidth).set(own(ofValues, first, rows));
  }

  private int bytesOfRow() {
    return 2 * innerWidth * environment.elementType().bytes();
  }

  /** Rows {@code [from, to)} of the piece. */
  private void forward(Piece piece, int from, int to) {
    if (from == to) {
      return;
    }
    int haloRows = environment.haloRows(piece, reach);
    attention.forward(
        queries.rows(piece.first(), piece.last()),
        seen(keys, haloRows, piece.first(), piece.last()),
        seen(values, haloRows, piece.first(), piece.last()),
        piece.documents(),
        from,
        to,
        attended.rows(piece.first(), piece.last()),
        logSums.rows(piece.first(), piece.last()));
  }

  @Override
  public void join(int worker, int first, Matrix stream, Parameters parameters) {
    environment
        .numerics()
        .products()
        .multiply(attended.rows(first, first + stream.rows()), parameters.value(OUTPUT), 1, stream);
  }

  @Override
  public void joinGradient(int worker, int first, Matrix streamGradient, Parameters parameters) {
    Numerics numerics = environment.numerics();
    long last = first + streamGradient.rows();
    numerics
        .products()
        .transposedMultiply(
            attended.rows(first, last), streamGradient, 1, parameters.gradient(worker, OUTPUT));
    numerics
        .products()
        .multiplyTransposed(
            streamGradient, parameters.value(OUTPUT), 0, attendedGradient.rows(first, last));
  }

  @Override
  public void attendGradient(Parameters parameters) {
    switch (environment.mode().reproducibility()) {
      case FAST -> environment.pieces().forEach(this::wholeGradient);
      case BITWISE -> gradientByPieces();
    }
    // What comes from the right is added to the tail in the order of the pieces that it is from.
    int tailRows = Math.min(reach, environment.input().length());
    int first = environment.input().length() - tailRows;
    pack(keyGradient, valueGradient, first, tailRows, tail);
    environment
        .returnHaloGradients(reach, outerGradients(), bytesOfRow(), tail.bytes(0, tailRows))
        .await();
    own(keyGradient, first, tailRows).set(tail.rows(0, tailRows).columns(0, innerWidth));
    own(valueGradient, first, tailRows)
        .set(tail.rows(0, tailRows).columns(innerWidth, 2 * innerWidth));
  }

  /** The slice in one: its keys' gradients lie where they belong, the halo's in front. */
  private void wholeGradient(Piece slice) {
    int haloRows = environment.haloRows(slice, reach);
    backward(
        slice,
        haloRows,
        seen(keyGradient, haloRows, 0, slice.last()),
        seen(valueGradient, haloRows, 0, slice.last()));
    Matrix outer = haloGradient.rows(0, haloRows);
    outer.columns(0, innerWidth).set(keyGradient.rows((long) reach - haloRows, reach));
    outer
        .columns(innerWidth, 2 * innerWidth)
        .set(valueGradient.rows((long) reach - haloRows, reach));
  }

  /** A key's gradients from its own piece and from each later one, in that order. */
  private void gradientByPieces() {
    RowOperations rows = environment.numerics().rows();
    for (int i = 0; i < environment.pieces().size(); i++) {
      Piece piece = environment.pieces().get(i);
      int haloRows = environment.haloRows(piece, reach);
      int outer = Math.max(0, haloRows - piece.first());
      long seenRows = (long) haloRows + piece.length();
      Matrix ofKeys = pieceKeyGradient.rows(0, seenRows);
      Matrix ofValues = pieceValueGradient.rows(0, seenRows);
      backward(piece, haloRows, ofKeys, ofValues);
      if (outer > 0) {
        Matrix room = haloGradient.rows((long) i * reach, (long) i * reach + outer);
        room.columns(0, innerWidth).set(ofKeys.rows(0, outer));
        room.columns(innerWidth, 2 * innerWidth).set(ofValues.rows(0, outer));
      }
      int earlier = haloRows - outer;
      rows.add(ofKeys.rows(outer, haloRows), own(keyGradient, piece.first() - earlier, earlier));
      rows.add(
          ofValues.rows(outer, haloRows), own(valueGradient, piece.first() - earlier, earlier));
      own(keyGradient, piece.first(), piece.length()).set(ofKeys.rows(haloRows, seenRows));
      own(valueGradient, piece.first(), piece.length()).set(ofValues.rows(haloRows, seenRows));
    }
  }

  private void backward(Piece piece, int haloRows, Matrix ofKeys, Matrix ofValues) {
    attention.backward(
        queries.rows(piece.first(), piece.last()),
        seen(keys, haloRows, piece.first(), piece.last()),
        seen(values, haloRows, piece.first(), piece.last()),
        attended.rows(piece.first(), piece.last()),
        logSums.rows(piece.first(), piece.last()),
        attendedGradient.rows(piece.first(), piece.last()),
        piece.documents(),
        queryGradient.rows(piece.first(), piece.last()),
        ofKeys,
        ofValues);
  }

  /** For each piece that sees rows before the slice, their gradients. */
  private List<ByteBuffer> outerGradients() {
    List<ByteBuffer> outer = new ArrayList<>();
    for (int i = 0; i < environment.pieces().size(); i++) {
      Piece piece = environment.pieces().get(i);
      int rows = environment.haloRows(piece, reach) - piece.first();
      if (rows <= 0) {
        break;
      }
      outer.add(haloGradient.bytes((long) i * reach, rows));
    }
    return outer;
  }

  @Override
  public void projectGradient(
      int worker, int first, Matrix normalized, Matrix normalizedGradient, Parameters parameters) {
    Numerics numerics = environment.numerics();
    long rows = normalized.rows();
    Matrix tile = projectedTile.of(worker, rows);
    long position = environment.input().firstPosition() + first;
    numerics
        .rows()
        .rotateBack(
            queryGradient.rows(first, first + rows),
            position,
            headWidth,
            scale,
            tile.columns(0, innerWidth));
    numerics
        .rows()
        .rotateBack(
            own(keyGradient, first, rows),
            position,
            headWidth,
            1,
            tile.columns(innerWidth, 2 * innerWidth));
    tile.columns(2 * innerWidth, 3 * innerWidth).set(own(valueGradient, first, rows));
    numerics
        .products()
        .transposedMultiply(normalized, tile, 1, parameters.gradient(worker, PROJECTION));
    numerics
        .products()
        .multiplyTransposed(tile, parameters.value(PROJECTION), 0, normalizedGradient);
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
