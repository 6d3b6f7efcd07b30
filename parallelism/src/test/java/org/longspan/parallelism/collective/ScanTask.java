package org.longspan.parallelism.collective;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;

/** A sequence of random pieces with its plain fold, to be spread over ranks. */
final class ScanTask {
  final StateShape shape;
  final TransitionKind kind;
  final double[] initial;
  final double[][] summaries;
  final double[][] transitions;

  ScanTask(StateShape shape, TransitionKind kind, int pieces, long seed) {
    this.shape = shape;
    this.kind = kind;
    this.initial = Numbers.random(shape.elements(), seed);
    this.summaries = new double[pieces][];
    this.transitions = new double[pieces][];
    Random random = new Random(seed);
    for (int piece = 0; piece < pieces; piece++) {
      summaries[piece] = Numbers.random(shape.elements(), seed + 1 + piece);
      transitions[piece] =
          switch (kind) {
            case DIAGONAL -> random.doubles(shape.rows(), 0.3, 1).toArray();
            case MATRIX ->
                random
                    .doubles((long) shape.rows() * shape.keyWidth(), -1, 1)
                    .map(element -> element / Math.sqrt(shape.keyWidth()))
                    .toArray();
          };
    }
  }

  int pieces() {
    return summaries.length;
  }

  /** The number of the piece that the direction comes to at {@code step}. */
  int pieceAt(ScanDirection direction, int step) {
    return direction == ScanDirection.FORWARD ? step : pieces() - 1 - step;
  }

  /** What comes in to each piece, in float64. */
  double[][] plainFold(ScanDirection direction) {
    double[][] incoming = new double[pieces()][];
    double[] state = initial.clone();
    for (int step = 0; step < pieces(); step++) {
      int piece = pieceAt(direction, step);
      incoming[piece] = state;
      state = after(direction, piece, state);
    }
    return incoming;
  }

  private double[] after(ScanDirection direction, int piece, double[] before) {
    double[] after = summaries[piece].clone();
    int columns = shape.valueWidth();
    int width = shape.keyWidth();
    for (int row = 0; row < shape.rows(); row++) {
      int head = row / width * width;
      for (int column = 0; column < columns; column++) {
        switch (kind) {
          case DIAGONAL ->
              after[row * columns + column] +=
                  product(transitions[piece][row], before[row * columns + column]);
          case MATRIX -> {
            for (int inner = 0; inner < width; inner++) {
              int element =
                  direction == ScanDirection.FORWARD
                      ? row * width + inner
                      : (head + inner) * width + row - head;
              after[row * columns + column] +=
                  product(transitions[piece][element], before[(head + inner) * columns + column]);
            }
          }
        }
      }
    }
    return after;
  }

  private static double product(double factor, double value) {
    return factor == 0 ? 0 : factor * value;
  }

  /** How many pieces each of so many ranks holds where they are spread evenly. */
  int[] evenly(int ranks) {
    return IntStream.range(0, ranks)
        .map(rank -> pieces() * (rank + 1) / ranks - pieces() * rank / ranks)
        .toArray();
  }

  /**
   * The pieces of a rank as buffers; every incoming state holds NaN but the direction's first.
   *
   * @param counts pieces of each rank
   */
  List<ScanPiece> piecesOf(int rank, int[] counts, ScanDirection direction) {
    int first = Arrays.stream(counts, 0, rank).sum();
    double[] unknown = new double[shape.elements()];
    Arrays.fill(unknown, Double.NaN);
    List<ScanPiece> own = new ArrayList<>();
    for (int piece = first; piece < first + counts[rank]; piece++) {
      ByteBuffer elements = Numbers.buffer(shape.type(), transitions[piece]);
      own.add(
          new ScanPiece(
              Numbers.buffer(shape.type(), summaries[piece]),
              new Transition(kind, elements),
              Numbers.buffer(shape.type(), piece == pieceAt(direction, 0) ? initial : unknown)));
    }
    return own;
  }

  /** What came in to each piece of all ranks, after a scan. */
  double[][] incoming(List<List<ScanPiece>> pieces) {
    return pieces.stream()
        .flatMap(List::stream)
        .map(piece -> Numbers.values(shape.type(), piece.incoming()))
        .toArray(double[][]::new);
  }
}
