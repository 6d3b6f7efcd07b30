package org.longspan.executors.layer;

import java.util.List;
import org.longspan.executors.kernel.AttentionShape;
import org.longspan.executors.kernel.Kernels;
import org.longspan.executors.kernel.WindowAttention;
import org.longspan.executors.layer.ParameterShape.Kind;
import org.longspan.executors.math.Numerics;
import org.longspan.executors.memory.Matrix;
import org.longspan.parallelism.collective.HaloExchange;
import org.longspan.parallelism.collective.Pending;

/**
 * Causal softmax attention over a sliding window, with rotary positions: {@code [q | k | v] = x W},
 * scores over {@code √headWidth}, and an output product. The keys and values of the {@code window −
 * 1} tokens before the slice, its halo, come from the ranks to the left while the rows that need
 * none are computed; their gradients go back the same way.
 */
final class WindowMixer implements Mixer {
  private static final String PROJECTION = "mixer.projection";
  private static final String OUTPUT = "mixer.output";

  private final RankEnvironment environment;
  private final int width;
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
  private final TileScratch projectedTile;

  WindowMixer(RankEnvironment environment, int width, int heads, int window) {
    this.environment = environment;
    this.width = width;
    this.headWidth = width / heads;
    this.reach = window - 1;
    this.scale = 1 / Math.sqrt(headWidth);
    this.attention =
        Kernels.window(
            environment.numerics().precision(),
            new AttentionShape(heads, headWidth, headWidth),
            window,
            environment.workers());
    int capacity = environment.capacity();
    this.queries = environment.arena().matrix(capacity, width);
    this.keys = environment.arena().matrix((long) reach + capacity, width);
    this.values = environment.arena().matrix((long) reach + capacity, width);
    this.attended = environment.arena().matrix(capacity, width);
    this.logSums = environment.arena().matrix(capacity, heads);
    this.attendedGradient = environment.shared("attended gradient", capacity, width);
    this.queryGradient = environment.shared("query gradient", capacity, width);
    this.keyGradient = environment.shared("key gradient", (long) reach + capacity, width);
    this.valueGradient = environment.shared("value gradient", (long) reach + capacity, width);
    this.tail = environment.shared("window tail", Math.max(1, reach), 2 * width);
    this.halo = environment.shared("window halo", Math.max(1, reach), 2 * width);
    this.projectedTile = environment.tileScratch("projected", 3 * width);
  }

  /** The parameters of a mixer of this kind. */
  static List<ParameterShape> parameters(int width) {
    return List.of(
        new ParameterShape(PROJECTION, width, 3 * width, Kind.WEIGHT),
        new ParameterShape(OUTPUT, width, width, Kind.WEIGHT));
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
            tile.columns(0, width), position, headWidth, scale, queries.rows(first, first + rows));
    numerics
        .rows()
        .rotate(tile.columns(width, 2 * width), position, headWidth, 1, own(keys, first, rows));
    own(values, first, rows).set(tile.columns(2 * width, 3 * width));
  }

  /** Rows of the slice itself, behind the room for the halo. */
  private Matrix own(Matrix withHalo, long first, long rows) {
    return withHalo.rows(reach + first, reach + first + rows);
  }

  /** The halo's rows and the slice's. */
  private Matrix seen(Matrix withHalo, int haloRows) {
    return withHalo.rows((long) reach - haloRows, (long) reach + environment.input().length());
  }

  private Matrix live(Matrix whole) {
    return whole.rows(0, environment.input().length());
  }

  @Override
  public void attend() {
    int length = environment.input().length();
    HaloExchange exchange = environment.halo(reach);
    int haloRows = exchange.length();
    int tailRows = Math.min(reach, length);
    pack(length - tailRows, tailRows, tail);
    Pending travelling =
        exchange.fromLeft(tail.bytes(0, tailRows), bytesOfRow(), halo.bytes(0, haloRows));
    int needing = Math.min(reach, length);
    forward(haloRows, needing, length);
    travelling.await();
    keys.rows((long) reach - haloRows, reach).set(halo.rows(0, haloRows).columns(0, width));
    values
        .rows((long) reach - haloRows, reach)
        .set(halo.rows(0, haloRows).columns(width, 2 * width));
    forward(haloRows, 0, needing);
  }

  private void pack(int first, int rows, Matrix packed) {
    packed.rows(0, rows).columns(0, width).set(own(keys, first, rows));
    packed.rows(0, rows).columns(width, 2 * width).set(own(values, first, rows));
  }

  private int bytesOfRow() {
    return 2 * width * environment.elementType().bytes();
  }

  private void forward(int haloRows, int first, int last) {
    attention.forward(
        live(queries),
        seen(keys, haloRows),
        seen(values, haloRows),
        environment.input().documents(),
        first,
        last,
        live(attended),
        live(logSums));
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
  public void attendGradient() {
    int length = environment.input().length();
    HaloExchange exchange = environment.halo(reach);
    int haloRows = exchange.length();
    attention.backward(
        live(queries),
        seen(keys, haloRows),
        seen(values, haloRows),
        live(attended),
        live(logSums),
        live(attendedGradient),
        environment.input().documents(),
        live(queryGradient),
        seen(keyGradient, haloRows),
        seen(valueGradient, haloRows));
    halo.rows(0, haloRows).columns(0, width).set(keyGradient.rows((long) reach - haloRows, reach));
    halo.rows(0, haloRows)
        .columns(width, 2 * width)
        .set(valueGradient.rows((long) reach - haloRows, reach));
    int tailRows = Math.min(reach, length);
    tail.zero();
    exchange
        .gradientToLeft(
            halo.bytes(0, haloRows),
            environment.elementType(),
            bytesOfRow(),
            tail.bytes(0, tailRows))
        .await();
    Matrix received = tail.rows(0, tailRows);
    environment
        .numerics()
        .rows()
        .add(received.columns(0, width), own(keyGradient, length - tailRows, tailRows));
    environment
        .numerics()
        .rows()
        .add(received.columns(width, 2 * width), own(valueGradient, length - tailRows, tailRows));
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
            tile.columns(0, width));
    numerics
        .rows()
        .rotateBack(
            own(keyGradient, first, rows), position, headWidth, 1, tile.columns(width, 2 * width));
    tile.columns(2 * width, 3 * width).set(own(valueGradient, first, rows));
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
