package org.longspan.executors.kernel;

import java.util.Arrays;
import java.util.concurrent.atomic.AtomicInteger;
import org.longspan.executors.memory.FloatMatrix;
import org.longspan.executors.memory.Matrix;
import org.longspan.executors.memory.Precision;
import org.longspan.executors.vector.FloatTile;

/**
 * {@link LinearAttention} on the CPU: each worker goes through heads, chunk by chunk, in tiles of
 * its own. Where the heads do not share out evenly over the workers, the states before every
 * segment of chunks are computed first, head by head, and then the segments go out to the workers.
 * Either way each number is the same sum in the same order.
 *
 * <p>Threading: as {@link LinearAttention}. Memory: fixed scratch for each worker, and one state
 * for each head and {@value #SEGMENT} chunks, grown when a longer slice comes.
 */
final class FloatLinearAttention implements LinearAttention {
  private static final int SEGMENT = 8;

  private final AttentionShape shape;
  private final AttentionMatrices shapes;
  private final FloatDecay[] decays;
  private final ChunkGrid grid;
  private final Workers workers;
  private final FloatLinearSweep[] sweeps;
  private final AtomicInteger next = new AtomicInteger();
  private final boolean sharesEvenly;
  private final String description;
  private FloatTile[] states = new FloatTile[0];
  private FloatTile[] stateGradients = new FloatTile[0];

  /** What is done with one piece of the work. */
  private interface Piece {
    void accept(FloatLinearSweep sweep, int index);
  }

  FloatLinearAttention(
      AttentionShape shape, double[] slopes, int chunk, Workers workers, String description) {
    this.shape = shape;
    this.shapes = new AttentionMatrices(shape, Precision.FLOAT);
    this.decays = new FloatDecay[shape.heads()];
    for (int head = 0; head < decays.length; head++) {
      decays[head] = new FloatDecay(slopes[head], chunk);
    }
    this.grid = new ChunkGrid(chunk);
    this.workers = workers;
    this.sweeps = new FloatLinearSweep[workers.threads()];
    for (int worker = 0; worker < sweeps.length; worker++) {
      sweeps[worker] = new FloatLinearSweep(shape, decays, grid, chunk, SEGMENT);
    }
    this.sharesEvenly = shape.heads() % workers.threads() == 0;
    this.description = description;
  }

  @Override
  public void summarize(
      LinearTensors inputs, Documents documents, Matrix summary, Matrix transition) {
    int tokens = documents.tokens();
    shapes.checkKeys("k", inputs.k(), tokens);
    shapes.checkValues("v", inputs.v(), tokens);
    shapes.checkState("summary", summary);
    shapes.checkTransition(transition, transitionColumns());
    grid.plan(documents);
    FloatMatrix keys = (FloatMatrix) inputs.k();
    FloatMatrix values = (FloatMatrix) inputs.v();
    run(
        shape.heads(),
        (sweep, head) -> sweep.summarize(head, keys, values, documents, (FloatMatrix) summary));
    for (int head = 0; head < decays.length; head++) {
      decays[head].writeTransition(
          documents, transition, head * shape.keyWidth(), shape.keyWidth());
    }
  }

  @Override
  public void forward(LinearTensors inputs, Documents documents, Matrix o) {
    shapes.checkInputs(inputs, documents.tokens());
    shapes.checkValues("o", o, documents.tokens());
    grid.plan(documents);
    FloatMatrix queries = (FloatMatrix) inputs.q();
    FloatMatrix keys = (FloatMatrix) inputs.k();
    FloatMatrix values = (FloatMatrix) inputs.v();
    FloatMatrix outputs = (FloatMatrix) o;
    if (sharesEvenly) {
      run(
          shape.heads(),
          (sweep, head) -> sweep.forward(head, queries, keys, values, outputs, 0, grid.count()));
      return;
    }
    int segments = segments();
    states = grown(states, shape.heads() * segments);
    run(
        shape.heads(),
        (sweep, head) -> sweep.chain(head, keys, values, null, SEGMENT, states, head * segments));
    run(
        shape.heads() * segments,
        (sweep, piece) -> {
          int segment = piece % segments;
          sweep.startFrom(states[piece]);
          sweep.forward(
              piece / segments, queries, keys, values, outputs, first(segment), last(segment));
        });
  }

  @Override
  public void addIncoming(LinearTensors inputs, Matrix incoming, Documents documents, Matrix o) {
    shapes.checkKeys("q", inputs.q(), documents.tokens());
    shapes.checkState("incoming", incoming);
    shapes.checkValues("o", o, documents.tokens());
    grid.plan(documents);
    int reached = grid.before(documents.continued());
    int segments = (reached + SEGMENT - 1) / SEGMENT;
    run(
        shape.heads() * segments,
        (sweep, piece) ->
            sweep.addIncoming(
                piece / segments,
                (FloatMatrix) inputs.q(),
                (FloatMatrix) incoming,
                (FloatMatrix) o,
                first(piece % segments),
                Math.min(reached, last(piece % segments))));
  }

  @Override
  public void summarizeGradient(
      LinearTensors inputs, Matrix outputGradient, Documents documents, Matrix summary) {
    shapes.checkKeys("q", inputs.q(), documents.tokens());
    shapes.checkValues("outputGradient", outputGradient, documents.tokens());
    shapes.checkState("summary", summary);
    grid.plan(documents);
    run(
        shape.heads(),
        (sweep, head) ->
            sweep.summarizeGradient(
                head,
                (FloatMatrix) inputs.q(),
                (FloatMatrix) outputGradient,
                documents,
                (FloatMatrix) summary));
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
    shapes.checkValues("outputGradient", outputGradient, tokens);
    shapes.checkState("incoming", incoming);
    shapes.checkGradients(gradients, tokens);
    grid.plan(documents);
    FloatMatrix queries = (FloatMatrix) inputs.q();
    FloatMatrix keys = (FloatMatrix) inputs.k();
    FloatMatrix values = (FloatMatrix) inputs.v();
    FloatMatrix outputs = (FloatMatrix) outputGradient;
    FloatMatrix before = documents.continued() > 0 ? (FloatMatrix) incoming : null;
    int heads = shape.heads();
    int segments = segments();
    states = grown(states, heads * segments);
    Piece segmentBackward =
        (sweep, piece) ->
            sweep.backward(
                piece / segments,
                queries,
                keys,
                values,
                outputs,
                states[piece],
                (FloatMatrix) gradients.q(),
                (FloatMatrix) gradients.k(),
                (FloatMatrix) gradients.v(),
                first(piece % segments),
                last(piece % segments));
    if (sharesEvenly) {
      run(
          heads,
          (sweep, head) -> {
            sweep.chain(head, keys, values, before, SEGMENT, states, head * segments);
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
            sweep.chain(head, keys, values, before, SEGMENT, states, head * segments);
          } else {
            sweep.chainGradient(head, queries, outputs, SEGMENT, stateGradients, head * segments);
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
    shapes.checkState("incomingGradient", incomingGradient);
    shapes.checkKeys("dk", gradients.k(), tokens);
    shapes.checkValues("dv", gradients.v(), tokens);
    grid.plan(documents);
    int firstChunk = grid.before(documents.lastStart());
    int segments = segments();
    run(
        shape.heads() * segments,
        (sweep, piece) ->
            sweep.addIncomingGradient(
                piece / segments,
                (FloatMatrix) inputs.k(),
                (FloatMatrix) inputs.v(),
                (FloatMatrix) incomingGradient,
                tokens,
                (FloatMatrix) gradients.k(),
                (FloatMatrix) gradients.v(),
                Math.max(firstChunk, first(piece % segments)),
                last(piece % segments)));
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
