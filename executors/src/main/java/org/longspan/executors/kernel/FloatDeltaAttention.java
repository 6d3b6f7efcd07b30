package org.longspan.executors.kernel;

import java.util.Arrays;
import java.util.concurrent.atomic.AtomicInteger;
import org.longspan.executors.memory.FloatMatrix;
import org.longspan.executors.memory.Matrix;
import org.longspan.executors.memory.Precision;
import org.longspan.executors.vector.FloatTile;

/**
 * {@link LinearAttention} by the gated delta rule on the CPU, chunk by chunk in each worker's own
 * tiles. Where the heads do not share out evenly over the workers, the columns of a head's states
 * do, which are independent; gradients, which are not, go by segments of chunks, once the states
 * before each segment and their gradients behind it are known. Either way each number is the same
 * sum in the same order.
 *
 * <p>Threading: as {@link LinearAttention}. Memory: fixed scratch for each worker, and a state and
 * a gradient of one for each head and {@value #SEGMENT} chunks, grown when a longer slice comes.
 */
final class FloatDeltaAttention implements LinearAttention {
  private static final int SEGMENT = 8;
  private static final int LEAST_COLUMNS = 16;

  private final AttentionShape shape;
  private final String description;
  private final AttentionMatrices shapes;
  private final ChunkGrid grid;
  private final Workers workers;
  private final FloatDeltaStateSweep[] stateSweeps;
  private final FloatDeltaStateGradientSweep[] stateGradientSweeps;
  private final FloatDeltaSegmentSweep[] segmentSweeps;
  private final AtomicInteger next = new AtomicInteger();
  private final boolean sharesEvenly;
  private FloatTile[] states = new FloatTile[0];
  private FloatTile[] stateGradients = new FloatTile[0];

  /** What is done with one piece of the work. */
  private interface Piece {
    void accept(int worker, int index);
  }

  /** What is done with the columns {@code [from, to)} of one head's states. */
  private interface Columns {
    void accept(int worker, int head, int from, int to);
  }

  FloatDeltaAttention(AttentionShape shape, int chunk, Workers workers, String description) {
    this.description = description;
    this.shape = shape;
    this.shapes = new AttentionMatrices(shape, Precision.FLOAT);
    this.grid = new ChunkGrid(chunk);
    this.workers = workers;
    this.stateSweeps = new FloatDeltaStateSweep[workers.threads()];
    this.stateGradientSweeps = new FloatDeltaStateGradientSweep[workers.threads()];
    this.segmentSweeps = new FloatDeltaSegmentSweep[workers.threads()];
    for (int worker = 0; worker < workers.threads(); worker++) {
      stateSweeps[worker] = new FloatDeltaStateSweep(shape, grid, chunk);
      stateGradientSweeps[worker] = new FloatDeltaStateGradientSweep(shape, grid, chunk);
      segmentSweeps[worker] = new FloatDeltaSegmentSweep(shape, grid, chunk, SEGMENT);
    }
    this.sharesEvenly = shape.heads() % workers.threads() == 0;
  }

  @Override
  public void summarize(
      LinearTensors inputs, Documents documents, Matrix summary, Matrix transition) {
    shapes.checkDelta(inputs, documents.tokens());
    shapes.checkState("summary", summary);
    shapes.checkTransition(transition, transitionColumns());
    grid.plan(documents);
    int columns = shape.valueWidth();
    if (documents.passesThrough()) {
      columns += shape.keyWidth();
    } else {
      transition.zero();
    }
    runColumns(
        columns,
        (worker, head, from, to) ->
            stateSweeps[worker].summarize(
                head,
                inputs,
                documents,
                (FloatMatrix) summary,
                (FloatMatrix) transition,
                from,
                to));
  }

  @Override
  public void forward(LinearTensors inputs, Documents documents, Matrix o) {
    shapes.checkDelta(inputs, documents.tokens());
    shapes.checkValues("o", o, documents.tokens());
    grid.plan(documents);
    runColumns(
        shape.valueWidth(),
        (worker, head, from, to) ->
            stateSweeps[worker].forward(head, inputs, (FloatMatrix) o, from, to));
  }

  @Override
  public void addIncoming(LinearTensors inputs, Matrix incoming, Documents documents, Matrix o) {
    shapes.checkDelta(inputs, documents.tokens());
    shapes.checkState("incoming", incoming);
    shapes.checkValues("o", o, documents.tokens());
    grid.plan(documents);
    int reached = grid.before(documents.continued());
    if (reached == 0) {
      return;
    }
    runColumns(
        shape.valueWidth(),
        (worker, head, from, to) ->
            stateSweeps[worker].addIncoming(
                head, inputs, (FloatMatrix) incoming, (FloatMatrix) o, reached, from, to));
  }

  @Override
  public void summarizeGradient(
      LinearTensors inputs, Matrix outputGradient, Documents documents, Matrix summary) {
    shapes.checkDelta(inputs, documents.tokens());
    shapes.checkValues("outputGradient", outputGradient, documents.tokens());
    shapes.checkState("summary", summary);
    grid.plan(documents);
    int reached = grid.before(documents.continued());
    runColumns(
        shape.valueWidth(),
        (worker, head, from, to) ->
            stateGradientSweeps[worker].summarize(
                head,
                inputs,
                (FloatMatrix) outputGradient,
                (FloatMatrix) summary,
                reached,
                from,
                to));
  }

  @Override
  public void backward(
      LinearTensors inputs,
      Matrix outputGradient,
      Matrix incoming,
      Documents documents,
      LinearTensors gradients) {
    int tokens = documents.tokens();
    shapes.checkDelta(inputs, tokens);
    shapes.checkValues("outputGradient", outputGradient, tokens);
    shapes.checkState("incoming", incoming);
    shapes.checkDeltaGradients(gradients, tokens);
    grid.plan(documents);
    FloatMatrix before = documents.continued() > 0 ? (FloatMatrix) incoming : null;
    FloatMatrix outputs = (FloatMatrix) outputGradient;
    runSegments(
        inputs,
        outputs,
        before,
        null,
        0,
        (worker, head, state, from, to) ->
            segmentSweeps[worker].backward(head, inputs, outputs, state, gradients, from, to));
  }

  @Override
  public void addIncomingGradient(
      LinearTensors inputs,
      Matrix incoming,
      Matrix incomingGradient,
      Documents documents,
      LinearTensors gradients) {
    int tokens = documents.tokens();
    shapes.checkDelta(inputs, tokens);
    shapes.checkState("incoming", incoming);
    shapes.checkState("incomingGradient", incomingGradient);
    shapes.checkDeltaGradients(gradients, tokens);
    grid.plan(documents);
    runSegments(
        inputs,
        null,
        documents.passesThrough() ? (FloatMatrix) incoming : null,
        (FloatMatrix) incomingGradient,
        grid.before(documents.lastStart()),
        (worker, head, state, from, to) ->
            segmentSweeps[worker].addIncomingGradient(head, inputs, state, gradients, from, to));
  }

  /** What is done with the chunks {@code [from, to)} of a head, given the state before them. */
  private interface Segment {
    void accept(int worker, int head, FloatTile state, int from, int to);
  }

  /**
   * Takes the segments of the chunks from {@code firstChunk} on, last to first, each with the state
   * before it and the gradient of the state after it.
   *
   * @param outputGradient null for zero
   * @param incoming the state before {@code firstChunk}; null for zero
   * @param incomingGradient of the state after the slice; null for zero
   */
  private void runSegments(
      LinearTensors inputs,
      FloatMatrix outputGradient,
      FloatMatrix incoming,
      FloatMatrix incomingGradient,
      int firstChunk,
      Segment work) {
    int heads = shape.heads();
    int firstSegment = firstChunk / SEGMENT;
    int segments = (grid.count() + SEGMENT - 1) / SEGMENT;
    int pieces = segments - firstSegment;
    states = grown(states, heads * segments);
    if (sharesEvenly) {
      run(
          heads,
          (worker, head) -> {
            int first = head * segments;
            stateSweeps[worker].chain(head, inputs, incoming, firstChunk, SEGMENT, states, first);
            segmentSweeps[worker].start(incomingGradient, head);
            for (int segment = segments - 1; segment >= firstSegment; segment--) {
              FloatTile state = states[first + segment];
              work.accept(worker, head, state, Math.max(firstChunk, first(segment)), last(segment));
            }
          });
      return;
    }
    stateGradients = grown(stateGradients, heads * segments);
    run(
        2 * heads,
        (worker, piece) -> {
          int head = piece / 2;
          int first = head * segments;
          if (piece % 2 == 0) {
            stateGradientSweeps[worker].chain(
                head,
                inputs,
                outputGradient,
                incomingGradient,
                firstChunk,
                SEGMENT,
                stateGradients,
                first);
          } else {
            stateSweeps[worker].chain(head, inputs, incoming, firstChunk, SEGMENT, states, first);
          }
        });
    run(
        heads * pieces,
        (worker, piece) -> {
          int head = piece / pieces;
          int segment = firstSegment + piece % pieces;
          int at = head * segments + segment;
          segmentSweeps[worker].startFrom(stateGradients[at]);
          work.accept(
              worker, head, states[at], Math.max(firstChunk, first(segment)), last(segment));
        });
  }

  @Override
  public int transitionColumns() {
    return shape.keyWidth();
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
      more[i] = new FloatTile(shape.keyWidth(), shape.valueWidth());
    }
    return more;
  }

  /** Shares out the columns of every head's states. */
  private void runColumns(int columns, Columns work) {
    int blocks = sharesEvenly ? 1 : Math.min(workers.threads(), blocksOf(columns, LEAST_COLUMNS));
    int width = blocksOf(blocksOf(columns, blocks), LEAST_COLUMNS) * LEAST_COLUMNS;
    int pieces = blocksOf(columns, width);
    run(
        shape.heads() * pieces,
        (worker, piece) -> {
          int from = piece % pieces * width;
          work.accept(worker, piece / pieces, from, Math.min(columns, from + width));
        });
  }

  private static int blocksOf(int size, int block) {
    return (size + block - 1) / block;
  }

  private void run(int pieces, Piece piece) {
    next.set(0);
    workers.forEach(
        Math.min(pieces, workers.threads()),
        worker -> {
          for (int i = next.getAndIncrement(); i < pieces; i = next.getAndIncrement()) {
            piece.accept(worker, i);
          }
        });
  }
}
