package org.longspan.executors.kernel;

import java.util.Arrays;
import java.util.concurrent.atomic.AtomicInteger;
import org.longspan.executors.memory.FloatMatrix;
import org.longspan.executors.memory.Matrix;
import org.longspan.executors.memory.Precision;
import org.longspan.executors.vector.FloatNumber;
import org.longspan.executors.vector.FloatTile;

/**
 * {@link LinearAttention} with gates on the CPU: each worker goes through heads, chunk by chunk, in
 * tiles of its own. Where the heads do not share out evenly over the workers, the states before
 * every segment of chunks are computed first, head by head, and then the segments go out to the
 * workers. Either way each number is the same sum in the same order.
 *
 * <p>Pairs of tokens with a gate for each column cannot be had from a product of tiles without
 * dividing by a decay, and cost as much as the rest at some {@value #SHORT_CHUNK} tokens: a chunk
 * is no longer than that then, and the state takes over.
 *
 * <p>Threading: as {@link LinearAttention}. Memory: fixed scratch for each worker, and two states
 * for each head and {@value #SEGMENT} chunks, grown when a longer slice comes.
 */
final class FloatGatedAttention implements LinearAttention {
  private static final int SEGMENT = 16;
  private static final int SHORT_CHUNK = 16;

  private final AttentionShape shape;
  private final String description;
  private final GateWidth gateWidth;
  private final AttentionMatrices shapes;
  private final ChunkGrid grid;
  private final Workers workers;
  private final FloatGatedSweep[] sweeps;
  private final AtomicInteger next = new AtomicInteger();
  private final boolean sharesEvenly;
  private FloatTile[] states = new FloatTile[0];
  private FloatTile[] stateGradients = new FloatTile[0];
  private double[][] logs = new double[0][];
  private double[][] logsOutside = new double[0][];
  private float[][] passed = new float[0][];

  /** What is done with one piece of the work. */
  private interface Piece {
    void accept(FloatGatedSweep sweep, int index);
  }

  FloatGatedAttention(
      AttentionShape shape, GateWidth gateWidth, int chunk, Workers workers, String description) {
    this.description = description;
    this.shape = shape;
    this.gateWidth = gateWidth;
    this.shapes = new AttentionMatrices(shape, Precision.FLOAT);
    int length =
        switch (gateWidth) {
          case SCALAR -> chunk;
          case VECTOR -> Math.min(chunk, SHORT_CHUNK);
        };
    this.grid = new ChunkGrid(length);
    this.workers = workers;
    this.sweeps = new FloatGatedSweep[workers.threads()];
    for (int worker = 0; worker < sweeps.length; worker++) {
      FloatGatedFactors factors =
          switch (gateWidth) {
            case SCALAR -> new FloatGatedHeadFactors(shape.keyWidth(), length);
            case VECTOR -> new FloatGatedKeyFactors(shape.keyWidth(), length);
          };
      sweeps[worker] = new FloatGatedSweep(shape, factors, grid, length, SEGMENT);
    }
    this.sharesEvenly = shape.heads() % workers.threads() == 0;
  }

  @Override
  public void summarize(
      LinearTensors inputs, Documents documents, Matrix summary, Matrix transition) {
    int tokens = documents.tokens();
    shapes.checkKeys("k", inputs.k(), tokens);
    shapes.checkValues("v", inputs.v(), tokens);
    checkGates("gates", inputs.gates(), tokens);
    shapes.checkState("summary", summary);
    shapes.checkTransition(transition, transitionColumns());
    grid.plan(documents);
    FloatGatedTensors tensors = FloatGatedTensors.of(inputs);
    int from = grid.before(documents.lastStart());
    run(
        shape.heads(),
        (sweep, head) -> sweep.summarize(head, tensors, from, (FloatMatrix) summary));
    writeTransition(tensors.gates(), documents, transition);
  }

  private void writeTransition(FloatMatrix gates, Documents documents, Matrix transition) {
    if (!documents.passesThrough()) {
      for (int row = 0; row < shape.keyColumns(); row++) {
        transition.put(row, 0, 0);
      }
      return;
    }
    sumLogs(gates);
    int width = shape.keyWidth();
    int segments = segments();
    for (int head = 0; head < shape.heads(); head++) {
      for (int i = 0; i < width; i++) {
        double sum = 0;
        for (int segment = 0; segment < segments; segment++) {
          sum += logs[head * segments + segment][i];
        }
        transition.put(head * width + i, 0, FloatNumber.of(Math.exp(sum)));
      }
    }
  }

  @Override
  public void forward(LinearTensors inputs, Documents documents, Matrix o) {
    int tokens = documents.tokens();
    shapes.checkInputs(inputs, tokens);
    checkGates("gates", inputs.gates(), tokens);
    shapes.checkValues("o", o, tokens);
    grid.plan(documents);
    FloatGatedTensors tensors = FloatGatedTensors.of(inputs);
    FloatMatrix outputs = (FloatMatrix) o;
    if (sharesEvenly) {
      run(shape.heads(), (sweep, head) -> sweep.forward(head, tensors, outputs, 0, grid.count()));
      return;
    }
    int segments = segments();
    states = grown(states, shape.heads() * segments);
    run(
        shape.heads(),
        (sweep, head) -> sweep.chain(head, tensors, null, SEGMENT, states, head * segments));
    run(
        shape.heads() * segments,
        (sweep, piece) -> {
          int segment = piece % segments;
          sweep.startFrom(states[piece]);
          sweep.forward(piece / segments, tensors, outputs, first(segment), last(segment));
        });
  }

  @Override
  public void addIncoming(LinearTensors inputs, Matrix incoming, Documents documents, Matrix o) {
    int tokens = documents.tokens();
    shapes.checkKeys("q", inputs.q(), tokens);
    checkGates("gates", inputs.gates(), tokens);
    shapes.checkState("incoming", incoming);
    shapes.checkValues("o", o, tokens);
    grid.plan(documents);
    FloatGatedTensors tensors = FloatGatedTensors.of(inputs);
    int reached = grid.before(documents.continued());
    int segments = segments();
    sumLogs(tensors.gates());
    sumLogsBefore();
    run(
        shape.heads() * segments,
        (sweep, piece) ->
            sweep.addIncoming(
                piece / segments,
                tensors,
                (FloatMatrix) incoming,
                (FloatMatrix) o,
                logsOutside[piece],
                first(piece % segments),
                Math.min(reached, last(piece % segments))));
  }

  @Override
  public void summarizeGradient(
      LinearTensors inputs, Matrix outputGradient, Documents documents, Matrix summary) {
    int tokens = documents.tokens();
    shapes.checkKeys("q", inputs.q(), tokens);
    checkGates("gates", inputs.gates(), tokens);
    shapes.checkValues("outputGradient", outputGradient, tokens);
    shapes.checkState("summary", summary);
    grid.plan(documents);
    FloatGatedTensors tensors = FloatGatedTensors.of(inputs);
    int to = grid.before(documents.continued());
    run(
        shape.heads(),
        (sweep, head) ->
            sweep.summarizeGradient(
                head, tensors, (FloatMatrix) outputGradient, to, (FloatMatrix) summary));
  }

  @Override
  public void backward(
      LinearTensors inputs,
      Matrix outputGradient,
      Matrix incoming,
      Documents documents,
      LinearTensors gradients) {
    int tokens = documents.tokens();
    shapes.checkInputs(inputs, tokens);
    checkGates("gates", inputs.gates(), tokens);
    shapes.checkValues("outputGradient", outputGradient, tokens);
    shapes.checkState("incoming", incoming);
    shapes.checkGradients(gradients, tokens);
    checkGates("dgates", gradients.gates(), tokens);
    grid.plan(documents);
    FloatGatedTensors tensors = FloatGatedTensors.of(inputs);
    FloatGatedTensors out = FloatGatedTensors.of(gradients);
    FloatMatrix outputs = (FloatMatrix) outputGradient;
    FloatMatrix before = documents.continued() > 0 ? (FloatMatrix) incoming : null;
    int heads = shape.heads();
    int segments = segments();
    states = grown(states, heads * segments);
    Piece segmentBackward =
        (sweep, piece) ->
            sweep.backward(
                piece / segments,
                tensors,
                outputs,
                states[piece],
                out,
                first(piece % segments),
                last(piece % segments));
    if (sharesEvenly) {
      run(
          heads,
          (sweep, head) -> {
            sweep.chain(head, tensors, before, SEGMENT, states, head * segments);
            sweep.startBackwardFromZero();
            for (int segment = segments - 1; segment >= 0; segment--) {
              segmentBackward.accept(sweep, head * segments + segment);
            }
          });
      return;
    }
    stateGradients = grown(stateGradients, heads * segments);
    run(
        2 * heads,
        (sweep, piece) -> {
          int head = piece / 2;
          if (piece % 2 == 0) {
            sweep.chain(head, tensors, before, SEGMENT, states, head * segments);
          } else {
            sweep.chainGradient(head, tensors, outputs, SEGMENT, stateGradients, head * segments);
          }
        });
    run(
        heads * segments,
        (sweep, piece) -> {
          sweep.startBackwardFrom(stateGradients[piece]);
          segmentBackward.accept(sweep, piece);
        });
  }

  @Override
  public void addIncomingGradient(
      LinearTensors inputs,
      Matrix incoming,
      Matrix incomingGradient,
      Documents documents,
      LinearTensors gradients) {
    int tokens = documents.tokens();
    shapes.checkKeys("k", inputs.k(), tokens);
    shapes.checkValues("v", inputs.v(), tokens);
    checkGates("gates", inputs.gates(), tokens);
    shapes.checkState("incoming", incoming);
    shapes.checkState("incomingGradient", incomingGradient);
    shapes.checkKeys("dk", gradients.k(), tokens);
    shapes.checkValues("dv", gradients.v(), tokens);
    checkGates("dgates", gradients.gates(), tokens);
    grid.plan(documents);
    FloatGatedTensors tensors = FloatGatedTensors.of(inputs);
    FloatGatedTensors out = FloatGatedTensors.of(gradients);
    FloatMatrix before = documents.passesThrough() ? (FloatMatrix) incoming : null;
    int firstChunk = grid.before(documents.lastStart());
    int heads = shape.heads();
    int segments = segments();
    sumLogs(tensors.gates());
    sumLogsAfter();
    growPassed(heads * segments);
    run(
        heads * segments,
        (sweep, piece) -> {
          int segment = piece % segments;
          sweep.addIncomingGradient(
              piece / segments,
              tensors,
              segment == 0 ? before : null,
              (FloatMatrix) incomingGradient,
              logsOutside[piece],
              out,
              passed[piece],
              Math.max(firstChunk, first(segment)),
              last(segment));
        });
    sumPassed();
    run(
        heads * segments,
        (sweep, piece) -> {
          int segment = piece % segments;
          if (segment > 0) {
            sweep.addPassed(
                piece / segments,
                passed[piece - 1],
                out.gates(),
                Math.max(firstChunk, first(segment)),
                last(segment));
          }
        });
  }

  @Override
  public int transitionColumns() {
    return 1;
  }

  @Override
  public String description() {
    return description;
  }

  @Override
  public void close() {
    states = new FloatTile[0];
    stateGradients = new FloatTile[0];
    logs = new double[0][];
    logsOutside = new double[0][];
    passed = new float[0][];
  }

  private void checkGates(String name, Matrix gates, int tokens) {
    if (gates == null) {
      throw new IllegalArgumentException("An attention with gates needs " + name);
    }
    shapes.check(name, gates, tokens, gateWidth.columns(shape));
  }

  /** The logs of the gates, summed over each segment of each head. */
  private void sumLogs(FloatMatrix gates) {
    int segments = segments();
    logs = grown(logs, shape.heads() * segments);
    logsOutside = grown(logsOutside, shape.heads() * segments);
    run(
        shape.heads() * segments,
        (sweep, piece) ->
            sweep.sumLogs(
                piece / segments,
                gates,
                first(piece % segments),
                last(piece % segments),
                logs[piece]));
  }

  /** The logs of the gates before each segment. */
  private void sumLogsBefore() {
    int segments = segments();
    for (int piece = 0; piece < shape.heads() * segments; piece++) {
      if (piece % segments == 0) {
        Arrays.fill(logsOutside[piece], 0);
      } else {
        sum(logsOutside[piece - 1], logs[piece - 1], logsOutside[piece]);
      }
    }
  }

  /** The logs of the gates after each segment. */
  private void sumLogsAfter() {
    int segments = segments();
    for (int piece = shape.heads() * segments - 1; piece >= 0; piece--) {
      if (piece % segments == segments - 1) {
        Arrays.fill(logsOutside[piece], 0);
      } else {
        sum(logsOutside[piece + 1], logs[piece + 1], logsOutside[piece]);
      }
    }
  }

  private static void sum(double[] a, double[] b, double[] to) {
    for (int i = 0; i < to.length; i++) {
      to[i] = a[i] + b[i];
    }
  }

  /** Afterwards {@code passed} is what passes on from a segment and those before it. */
  private void sumPassed() {
    int segments = segments();
    for (int piece = 0; piece < shape.heads() * segments; piece++) {
      if (piece % segments > 0) {
        for (int i = 0; i < passed[piece].length; i++) {
          passed[piece][i] += passed[piece - 1][i];
        }
      }
    }
  }

  private int segments() {
    return (grid.count() + SEGMENT - 1) / SEGMENT;
  }

  private static int first(int segment) {
    return segment * SEGMENT;
  }

  private int last(int segment) {
    return Math.min(grid.count(), (segment + 1) * SEGMENT);
  }

  private FloatTile[] grown(FloatTile[] tiles, int count) {
    if (tiles.length >= count) {
      return tiles;
    }
    FloatTile[] more = Arrays.copyOf(tiles, count);
    for (int i = tiles.length; i < count; i++) {
      more[i] = new FloatTile(shape.valueWidth(), shape.keyWidth());
    }
    return more;
  }

  private double[][] grown(double[][] rows, int count) {
    if (rows.length >= count) {
      return rows;
    }
    double[][] more = Arrays.copyOf(rows, count);
    for (int i = rows.length; i < count; i++) {
      more[i] = new double[shape.keyWidth()];
    }
    return more;
  }

  private void growPassed(int count) {
    if (passed.length < count) {
      int known = passed.length;
      passed = Arrays.copyOf(passed, count);
      for (int i = known; i < count; i++) {
        passed[i] = new float[FloatTile.padded(shape.keyWidth())];
      }
    }
  }

  private void run(int pieces, Piece piece) {
    next.set(0);
    workers.forEach(
        Math.min(pieces, sweeps.length),
        worker -> {
          for (int i = next.getAndIncrement(); i < pieces; i = next.getAndIncrement()) {
            piece.accept(sweeps[worker], i);
          }
        });
  }
}
