package org.longspan.executors.bench.overlap;

import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;
import org.longspan.executors.kernel.AttentionShape;
import org.longspan.executors.kernel.Documents;
import org.longspan.executors.kernel.KernelChoice;
import org.longspan.executors.kernel.Kernels;
import org.longspan.executors.kernel.LinearAttention;
import org.longspan.executors.kernel.LinearTensors;
import org.longspan.executors.kernel.StateArrival;
import org.longspan.executors.kernel.Workers;
import org.longspan.executors.memory.Arena;
import org.longspan.executors.memory.Matrix;
import org.longspan.executors.memory.Precision;
import org.longspan.parallelism.collective.Communicator;
import org.longspan.parallelism.collective.ElementType;
import org.longspan.parallelism.collective.Pending;
import org.longspan.parallelism.collective.ScanChoice;
import org.longspan.parallelism.collective.ScanCosts;
import org.longspan.parallelism.collective.ScanDirection;
import org.longspan.parallelism.collective.ScanPiece;
import org.longspan.parallelism.collective.Scans;
import org.longspan.parallelism.collective.StateScan;
import org.longspan.parallelism.collective.StateShape;
import org.longspan.parallelism.collective.Transition;
import org.longspan.parallelism.collective.TransitionKind;

/**
 * A rank's slice of lightning attention, on one thread, and the scan of its state: what a linear
 * mixer does between its products. One document over all ranks, random numbers.
 */
final class OverlapWork implements AutoCloseable {
  private static final int CHUNK = 64;

  private final Arena arena = new Arena("of the overlap", Precision.FLOAT);
  private final Workers workers = new Workers(1);
  private final LinearAttention attention;
  private final StateScan scan;
  private final Documents documents;
  private final LinearTensors inputs;
  private final LinearTensors gradients;
  private final Matrix output;
  private final Matrix outputGradient;
  private final Matrix summary;
  private final Matrix transition;
  private final Matrix incoming;
  private final Matrix incomingGradient;

  OverlapWork(Communicator communicator, ScanCosts costs, AttentionShape shape, int tokens) {
    double[] slopes =
        IntStream.rangeClosed(1, shape.heads())
            .mapToDouble(head -> Math.pow(2, -8.0 * head / shape.heads()))
            .toArray();
    this.attention =
        Kernels.linear(KernelChoice.CPU, Precision.FLOAT, shape, slopes, CHUNK, workers);
    this.scan =
        Scans.of(
            ScanChoice.AUTO,
            communicator,
            new StateShape(ElementType.FLOAT, shape.heads(), shape.keyWidth(), shape.valueWidth()),
            TransitionKind.DIAGONAL,
            0,
            costs);
    this.documents = Documents.one(tokens, (long) tokens * communicator.index());
    Random random = new Random(communicator.index());
    this.inputs =
        LinearTensors.of(
            random(random, tokens, shape.keyColumns()),
            random(random, tokens, shape.keyColumns()),
            random(random, tokens, shape.valueColumns()));
    this.gradients =
        LinearTensors.of(
            arena.matrix(tokens, shape.keyColumns()),
            arena.matrix(tokens, shape.keyColumns()),
            arena.matrix(tokens, shape.valueColumns()));
    this.output = arena.matrix(tokens, shape.valueColumns());
    this.outputGradient = random(random, tokens, shape.valueColumns());
    this.summary = arena.matrix(shape.keyColumns(), shape.valueWidth());
    this.transition = arena.matrix(shape.keyColumns(), attention.transitionColumns());
    this.incoming = arena.matrix(shape.keyColumns(), shape.valueWidth());
    this.incomingGradient = arena.matrix(shape.keyColumns(), shape.valueWidth());
  }

  /** Random numbers that repeat after a chunk, since that many are slow to make. */
  private Matrix random(Random random, int rows, int columns) {
    Matrix numbers = arena.matrix(rows, columns);
    int made = Math.min(CHUNK, rows);
    for (int row = 0; row < made; row++) {
      for (int column = 0; column < columns; column++) {
        numbers.put(row, column, random.nextFloat() - 0.5);
      }
    }
    for (int row = made; row < rows; row += made) {
      int count = Math.min(made, rows - row);
      numbers.rows(row, row + count).set(numbers.rows(0, count));
    }
    return numbers;
  }

  /** Computes what the scan carries. */
  void prepare(ScanDirection direction) {
    attention.summarize(inputs, documents, summary, transition);
    if (direction == ScanDirection.BACKWARD) {
      attention.summarizeGradient(inputs, outputGradient, documents, summary);
    }
  }

  /** The rank's attention, which waits for what {@code travelling} brings when it must. */
  void attend(ScanDirection direction, Pending travelling) {
    switch (direction) {
      case FORWARD ->
          attention.forward(inputs, StateArrival.of(travelling, incoming), documents, output);
      case BACKWARD ->
          attention.backward(
              inputs,
              outputGradient,
              incoming,
              StateArrival.of(travelling, incomingGradient),
              documents,
              gradients);
    }
  }

  Pending startScan(ScanDirection direction) {
    Matrix arriving =
        switch (direction) {
          case FORWARD -> incoming;
          case BACKWARD -> incomingGradient;
        };
    return scan.start(
        direction,
        List.of(
            new ScanPiece(
                summary.bytes(), Transition.diagonal(transition.bytes()), arriving.bytes())));
  }

  String scanDescription() {
    return scan.description();
  }

  @Override
  public void close() {
    attention.close();
    workers.close();
    arena.close();
  }
}
