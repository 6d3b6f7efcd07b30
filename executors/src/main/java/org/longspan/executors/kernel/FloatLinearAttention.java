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
 * <p>What has to wait for a state does so after a share of the slice; the rest of the slice then
 * starts from the state, since adding to outputs what a state contributes costs another product,
 * and two to gradients.
 *
 * <p>Threading: as {@link LinearAttention}. Memory: fixed scratch for each worker, and one state
 * for each head and {@value #SEGMENT} chunks, grown when a longer slice comes.
 */
final class FloatLinearAttention implements LinearAttention {
  private static final int SEGMENT = 8;

  /** Of a slice, a fourth is done before a state is waited for. */
  private static final int SHARE = 4;

  /** And so many tokens at least, for which a state should have the time to arrive. */
  private static final int LEAST = 4096;

  private final AttentionShape shape;
  private final AttentionMatrices shapes;
  private final FloatDecay[] decays;
  private final ChunkGrid grid;
  private final Workers workers;
  private final FloatLinearSweep[] sweeps;
  private final AtomicInteger next = new AtomicInteger();
  private final boolean sharesEvenly;
  private final int least;
  private final String description;

  /** For each head: the state between the shares, transposed, and its gradient. */
  private final FloatTile[] between;

  private final FloatTile[] gradientBetween;
  private FloatTile[] states = new FloatTile[0];
  private FloatTile[] stateGradients = new FloatTile[0];

  /** What is done with one piece of the work. */
  private interface Piece {
    void accept(FloatLinearSweep sweep, int index);
  }

  FloatLinearAttention(
      AttentionShape shape, double[] slopes, int chunk, Workers workers, String description) {
    this(shape, slopes, chunk, workers, description, LEAST);
  }

  /**
   * @param least tokens that are done before a state is waited for, or all of a shorter slice
   */
  FloatLinearAttention(
      AttentionShape shape,
      double[] slopes,
      int chunk,
      Workers workers,
      String description,
      int least) {
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
    this.least = least;
    this.description = description;
    this.between = new FloatTile[shape.heads()];
    this.gradientBetween = new FloatTile[shape.heads()];
    for (int head = 0; head < shape.heads(); head++) {
      between[head] = new FloatTile(shape.valueWidth(), shape.keyWidth());
      gradientBetween[head] = new FloatTile(shape.keyWidth(), shape.valueWidth());
    }
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
    planForward(inputs, documents, o);
    forward(inputs, o, 0, grid.count());
  }

  @Override
  public void forward(LinearTensors inputs, StateArrival incoming, Documents documents, Matrix o) {
    planForward(inputs, documents, o);
    int reached = grid.before(documents.continued());
    int share = firstShare(documents.tokens());
    // What starts with a document of its own needs no state.
    int first = reached <= share ? grid.count() : share;
    forward(inputs, o, 0, first);
    FloatMatrix state = (FloatMatrix) incoming.await();
    shapes.checkState("incoming", state);
    addIncoming(inputs, state, o, Math.min(reached, first));
    if (first < grid.count()) {
      run(
          shape.heads(),
          (sweep, head) -> sweep.addState(head, state, grid.start(first), between[head]));
      forward(inputs, o, first, grid.count());
    }
  }

  private void planForward(LinearTensors inputs, Documents documents, Matrix o) {
    shapes.checkInputs(inputs, documents.tokens());
    shapes.checkValues("o", o, documents.tokens());
    grid.plan(documents);
  }

  /** Chunks, whole segments of them, that are done before a state is waited for. */
  private int firstShare(int tokens) {
    int chunk = 0;
    while (chunk < grid.count() && grid.start(chunk) < shareOf(tokens)) {
      chunk += SEGMENT;
    }
    return Math.min(grid.count(), chunk);
  }

  /** The first chunk, a segment's, of those that are done before a gradient is waited for. */
  private int lastShare(int tokens) {
    int chunk = (grid.count() - 1) / SEGMENT * SEGMENT;
    while (chunk > 0 && tokens - grid.start(chunk) < shareOf(tokens)) {
      chunk -= SEGMENT;
    }
    return Math.max(0, chunk);
  }

  private int shareOf(int tokens) {
    return Math.max((tokens + SHARE - 1) / SHARE, least);
  }

  /** The chunks {@code [from, to)}, whole segments, from the state {@code between} to the next. */
  private void forward(LinearTensors inputs, Matrix o, int from, int to) {
    FloatMatrix queries = (FloatMatrix) inputs.q();
    FloatMatrix keys = (FloatMatrix) inputs.k();
    FloatMatrix values = (FloatMatrix) inputs.v();
    FloatMatrix outputs = (FloatMatrix) o;
    if (sharesEvenly) {
      run(
          shape.heads(),
          (sweep, head) -> {
            if (from > 0) {
              sweep.startFrom(between[head]);
            }
            sweep.forward(head, queries, keys, values, outputs, from, to);
            if (to < grid.count()) {
              sweep.leave(between[head]);
            }
          });
      return;
    }
    int segments = segments();
    states = grown(states, shape.heads() * segments);
    run(
        shape.heads(),
        (sweep, head) -> {
          sweep.startChain(from > 0 ? between[head] : null);
          sweep.chain(head, keys, values, SEGMENT, states, head * segments, from, to);
          if (to < grid.count()) {
            sweep.leaveChain(between[head]);
          }
        });
    int firstSegment = from / SEGMENT;
    int count = (to - from + SEGMENT - 1) / SEGMENT;
    run(
        shape.heads() * count,
        (sweep, piece) -> {
          int head = piece / count;
          int segment = firstSegment + piece % count;
          sweep.startFrom(states[head * segments + segment]);
          sweep.forward(head, queries, keys, values, outputs, first(segment), last(segment));
        });
  }

  @Override
  public void addIncoming(LinearTensors inputs, Matrix incoming, Documents documents, Matrix o) {
    shapes.checkKeys("q", inputs.q(), documents.tokens());
    shapes.checkState("incoming", incoming);
    shapes.checkValues("o", o, documents.tokens());
    grid.plan(documents);
    addIncoming(inputs, (FloatMatrix) incoming, o, grid.before(documents.continued()));
  }

  /** To the first {@code reached} chunks. */
  private void addIncoming(LinearTensors inputs, FloatMatrix incoming, Matrix o, int reached) {
    int segments = (reached + SEGMENT - 1) / SEGMENT;
    run(
        shape.heads() * segments,
        (sweep, piece) ->
            sweep.addIncoming(
                piece / segments,
                (FloatMatrix) inputs.q(),
                incoming,
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
    planBackward(inputs, outputGradient, incoming, documents, gradients);
    Piece chain = chain(inputs, incoming, documents);
    backward(inputs, outputGradient, chain, gradients, 0, grid.count());
  }

  @Override
  public void backward(
      LinearTensors inputs,
      Matrix outputGradient,
      Matrix incoming,
      StateArrival incomingGradient,
      Documents documents,
      LinearTensors gradients) {
    planBackward(inputs, outputGradient, incoming, documents, gradients);
    Piece chain = chain(inputs, incoming, documents);
    int tokens = documents.tokens();
    int reached = grid.before(documents.lastStart());
    int share = lastShare(tokens);
    int last = reached >= share ? 0 : share;
    backward(inputs, outputGradient, chain, gradients, last, grid.count());
    FloatMatrix gradient = (FloatMatrix) incomingGradient.await();
    shapes.checkState("incomingGradient", gradient);
    addIncomingGradient(inputs, gradient, tokens, gradients, Math.max(last, reached));
    if (last > 0) {
      run(
          shape.heads(),
          (sweep, head) ->
              sweep.addStateGradient(
                  head, gradient, tokens - grid.start(last), gradientBetween[head]));
      backward(inputs, outputGradient, null, gradients, 0, last);
    }
  }

  private void planBackward(
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
    states = grown(states, shape.heads() * segments());
  }

  /** Finds a head's states before all segments. */
  private Piece chain(LinearTensors inputs, Matrix incoming, Documents documents) {
    FloatMatrix keys = (FloatMatrix) inputs.k();
    FloatMatrix values = (FloatMatrix) inputs.v();
    int segments = segments();
    return (sweep, head) -> {
      if (documents.continued() > 0) {
        sweep.startChain(head, (FloatMatrix) incoming);
      } else {
        sweep.startChain(null);
      }
      sweep.chain(head, keys, values, SEGMENT, states, head * segments, 0, grid.count());
    };
  }

  /**
   * The chunks {@code [from, to)}, whole segments, from the gradient {@code gradientBetween} to the
   * next.
   *
   * @param chain what has to be done with each head before; null where it has been done
   */
  private void backward(
      LinearTensors inputs,
      Matrix outputGradient,
      Piece chain,
      LinearTensors gradients,
      int from,
      int to) {
    FloatMatrix queries = (FloatMatrix) inputs.q();
    FloatMatrix keys = (FloatMatrix) inputs.k();
    FloatMatrix values = (FloatMatrix) inputs.v();
    FloatMatrix outputs = (FloatMatrix) outputGradient;
    int heads = shape.heads();
    int segments = segments();
    int firstSegment = from / SEGMENT;
    int count = (to - from + SEGMENT - 1) / SEGMENT;
    Piece segmentBackward =
        (sweep, piece) -> {
          int segment = piece % segments;
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
              first(segment),
              last(segment));
        };
    if (sharesEvenly) {
      run(
          heads,
          (sweep, head) -> {
            if (chain != null) {
              chain.accept(sweep, head);
            }
            sweep.startBackwardFrom(to < grid.count() ? gradientBetween[head] : null);
            for (int segment = firstSegment + count - 1; segment >= firstSegment; segment--) {
              segmentBackward.accept(sweep, head * segments + segment);
            }
            sweep.leaveBackward(gradientBetween[head]);
          });
      return;
    }
    stateGradients = grown(stateGradients, heads * segments);
    Piece chainGradient =
        (sweep, head) -> {
          sweep.startBackwardFrom(to < grid.count() ? gradientBetween[head] : null);
          sweep.chainGradient(
              head, queries, outputs, SEGMENT, stateGradients, head * segments, from, to);
          sweep.leaveBackward(gradientBetween[head]);
        };
    if (chain == null) {
      run(heads, chainGradient);
    } else {
      run(
          2 * heads,
          (sweep, piece) -> (piece % 2 == 0 ? chain : chainGradient).accept(sweep, piece / 2));
    }
    run(
        heads * count,
        (sweep, piece) -> {
          int at = piece / count * segments + firstSegment + piece % count;
          sweep.startBackwardFrom(stateGradients[at]);
          segmentBackward.accept(sweep, at);
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
    addIncomingGradient(
        inputs,
        (FloatMatrix) incomingGradient,
        tokens,
        gradients,
        grid.before(documents.lastStart()));
  }

  /** To the chunks from {@code firstChunk} on. */
  private void addIncomingGradient(
      LinearTensors inputs,
      FloatMatrix incomingGradient,
      int tokens,
      LinearTensors gradients,
      int firstChunk) {
    int firstSegment = firstChunk / SEGMENT;
    int count = segments() - firstSegment;
    run(
        shape.heads() * count,
        (sweep, piece) ->
            sweep.addIncomingGradient(
                piece / count,
                (FloatMatrix) inputs.k(),
                (FloatMatrix) inputs.v(),
                incomingGradient,
                tokens,
                (FloatMatrix) gradients.k(),
                (FloatMatrix) gradients.v(),
                Math.max(firstChunk, first(firstSegment + piece % count)),
                last(firstSegment + piece % count)));
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
