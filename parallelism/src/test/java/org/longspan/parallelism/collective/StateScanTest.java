package org.longspan.parallelism.collective;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.List;
import java.util.function.ToLongFunction;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.longspan.parallelism.collective.Groups.Carrier;
import org.longspan.parallelism.transport.InProcessTransport;
import org.longspan.parallelism.transport.LocalRanks;

@Timeout(240)
class StateScanTest {
  private static final int[] RANKS = {1, 2, 3, 4, 7, 16};
  private static final int[] BLOCKS = {0, 1, 2, 5, 100};

  /** Heads, key width, value width. */
  private static final int[][] SHAPES = {{1, 1, 1}, {2, 3, 5}, {3, 4, 2}, {1, 7, 40}};

  static Stream<Arguments> all() {
    return Arrays.stream(RANKS)
        .boxed()
        .flatMap(
            ranks ->
                Arrays.stream(ScanChoice.values())
                    .flatMap(
                        choice ->
                            Arrays.stream(TransitionKind.values())
                                .map(kind -> Arguments.of(ranks, choice, kind))));
  }

  private static StateShape shape(ElementType type, int... sizes) {
    return new StateShape(type, sizes[0], sizes[1], sizes[2]);
  }

  private static double[][] scan(
      ScanChoice choice, ScanTask task, ScanDirection direction, int blocks, int... counts) {
    return scan(Carrier.MEMORY, choice, task, direction, blocks, counts);
  }

  private static double[][] scan(
      Carrier carrier,
      ScanChoice choice,
      ScanTask task,
      ScanDirection direction,
      int blocks,
      int... counts) {
    return task.incoming(
        Groups.run(
            carrier,
            counts.length,
            communicator -> {
              StateScan scan =
                  Scans.of(choice, communicator, task.shape, task.kind, blocks, ScanCosts.USUAL);
              List<ScanPiece> pieces = task.piecesOf(communicator.index(), counts, direction);
              scan.start(direction, pieces).await();
              return pieces;
            }));
  }

  /** Ranks with two pieces, one and none; the first and the last have some. */
  private static int[] ragged(int ranks) {
    int[] counts = IntStream.range(0, ranks).map(rank -> (rank * 2 + 2) % 3).toArray();
    counts[ranks - 1] = 2;
    return counts;
  }

  @ParameterizedTest
  @MethodSource("all")
  void shouldAgreeWithThePlainFold(int ranks, ScanChoice choice, TransitionKind kind) {
    int[] even = new int[ranks];
    Arrays.fill(even, 1);
    for (ElementType type : ElementType.values()) {
      double tolerance = type == ElementType.DOUBLE ? 1e-12 : 1e-6;
      for (int[] counts : List.of(even, ragged(ranks))) {
        int pieces = Arrays.stream(counts).sum();
        for (int number = 0; number < SHAPES.length; number++) {
          ScanTask task = new ScanTask(shape(type, SHAPES[number]), kind, pieces, number);
          for (ScanDirection direction : ScanDirection.values()) {
            int blocks = BLOCKS[(number + ranks) % BLOCKS.length];
            double[][] actual = scan(choice, task, direction, blocks, counts);
            double[][] expected = task.plainFold(direction);
            for (int piece = 0; piece < pieces; piece++) {
              assertThat(Numbers.relativeError(actual[piece], expected[piece]))
                  .as("Piece %s of %s, %s, %s blocks", piece, task.shape, direction, blocks)
                  .isLessThanOrEqualTo(tolerance);
            }
          }
        }
      }
    }
  }

  @ParameterizedTest
  @MethodSource("all")
  void shouldStartFromZeroWhereTheFirstRankHasNoPieces(
      int ranks, ScanChoice choice, TransitionKind kind) {
    int[] counts = new int[ranks + 2];
    counts[1 + ranks / 2] = 2;
    for (ScanDirection direction : ScanDirection.values()) {
      ScanTask task = new ScanTask(shape(ElementType.DOUBLE, 2, 3, 5), kind, 2, 7);
      double[] given = task.initial.clone();
      Arrays.fill(task.initial, 0);
      double[][] expected = task.plainFold(direction);
      System.arraycopy(given, 0, task.initial, 0, given.length);
      double[][] actual = scan(choice, task, direction, 3, counts);
      for (int piece = 0; piece < 2; piece++) {
        Numbers.assertClose(actual[piece], expected[piece], 1e-12);
      }
    }
  }

  @ParameterizedTest
  @MethodSource("all")
  void shouldDropWhatComesInWhereTheTransitionIsZero(
      int ranks, ScanChoice choice, TransitionKind kind) {
    for (ScanDirection direction : ScanDirection.values()) {
      StateShape shape = shape(ElementType.FLOAT, 2, 3, 4);
      ScanTask task = new ScanTask(shape, kind, 2 * ranks, 5);
      Arrays.fill(task.initial, 0, 12, Double.NaN);
      // The first head's state is dropped by the second piece that the direction comes to.
      double[] transition = task.transitions[task.pieceAt(direction, 1)];
      Arrays.fill(transition, 0, transition.length / 2, 0);
      double[][] expected = task.plainFold(direction);
      double[][] actual = scan(choice, task, direction, 2, task.evenly(ranks));
      for (int step = 0; step < 2 * ranks; step++) {
        int piece = task.pieceAt(direction, step);
        for (int i = 0; i < shape.elements(); i++) {
          assertThat(Double.isNaN(actual[piece][i])).isEqualTo(step < 2 && i < 12);
        }
        if (step > 1) {
          assertThat(Numbers.relativeError(actual[piece], expected[piece])).isLessThan(1e-6);
        }
      }
    }
  }

  @ParameterizedTest
  @MethodSource("all")
  void shouldDoNothingWithAnEmptyState(int ranks, ScanChoice choice, TransitionKind kind) {
    for (int[] sizes : new int[][] {{0, 3, 2}, {2, 0, 3}, {2, 3, 0}}) {
      ScanTask task = new ScanTask(shape(ElementType.FLOAT, sizes), kind, ranks, 5);
      double[][] incoming = scan(choice, task, ScanDirection.FORWARD, 4, task.evenly(ranks));
      assertThat(incoming).hasDimensions(ranks, 0);
    }
  }

  @Test
  void shouldGiveTheSameBitsHoweverThePiecesAreSpreadAndTheStateIsCut() {
    for (TransitionKind kind : TransitionKind.values()) {
      for (ScanDirection direction : ScanDirection.values()) {
        ScanTask task = new ScanTask(shape(ElementType.FLOAT, 2, 6, 9), kind, 19, 3);
        double[][] alone = scan(ScanChoice.REPLAY, task, direction, 1, 19);
        Stream<int[]> spreads =
            Stream.concat(
                IntStream.of(1, 2, 3, 4, 7, 8, 16).mapToObj(task::evenly),
                Stream.of(new int[] {1, 0, 0, 17, 0, 1}, new int[] {7, 0, 12}));
        for (int[] counts : spreads.toList()) {
          for (int blocks : new int[] {1, 2, 3, 7, 18}) {
            assertThat(scan(ScanChoice.REPLAY, task, direction, blocks, counts))
                .isDeepEqualTo(alone);
          }
        }
      }
    }
  }

  @Test
  void shouldAgreeOverTheNetwork() {
    for (ScanChoice choice : ScanChoice.values()) {
      for (TransitionKind kind : TransitionKind.values()) {
        ScanTask task = new ScanTask(shape(ElementType.DOUBLE, 2, 32, 40), kind, 3, 3);
        for (ScanDirection direction : ScanDirection.values()) {
          double[][] actual = scan(Carrier.NETWORK, choice, task, direction, 5, 1, 1, 1);
          double[][] expected = task.plainFold(direction);
          for (int piece = 0; piece < 3; piece++) {
            assertThat(Numbers.relativeError(actual[piece], expected[piece])).isLessThan(1e-12);
          }
        }
      }
    }
  }

  @Test
  void shouldLeaveSummariesAndTransitionsAsTheyAre() {
    for (ScanChoice choice : ScanChoice.values()) {
      for (TransitionKind kind : TransitionKind.values()) {
        ScanTask task = new ScanTask(shape(ElementType.FLOAT, 2, 3, 4), kind, 8, 3);
        int[] counts = task.evenly(4);
        Groups.run(
            Carrier.MEMORY,
            4,
            communicator -> {
              StateScan scan = Scans.of(choice, communicator, task.shape, kind, 0, ScanCosts.USUAL);
              for (ScanDirection direction : ScanDirection.values()) {
                List<ScanPiece> pieces = task.piecesOf(communicator.index(), counts, direction);
                List<ScanPiece> same = task.piecesOf(communicator.index(), counts, direction);
                scan.start(direction, pieces).await();
                for (int piece = 0; piece < pieces.size(); piece++) {
                  assertThat(pieces.get(piece).summary()).isEqualTo(same.get(piece).summary());
                  assertThat(pieces.get(piece).transition())
                      .isEqualTo(same.get(piece).transition());
                }
              }
              return null;
            });
      }
    }
  }

  @ParameterizedTest
  @MethodSource("all")
  void shouldReceiveWhatItsFormulaSays(int ranks, ScanChoice choice, TransitionKind kind) {
    if (choice == ScanChoice.AUTO) {
      return;
    }
    StateShape shape = shape(ElementType.FLOAT, 3, 4, 5);
    long state = shape.bytes();
    long transition = 4L * 3 * 4 * (kind == TransitionKind.MATRIX ? 4 : 1);
    ToLongFunction<Integer> formula =
        place ->
            switch (choice) {
              case AUTO, CHAIN, REPLAY, LASP1 -> place == 0 ? 0 : state;
              case LOG -> place == 0 ? 0 : floorLog(place) * (state + transition) + state;
              case LASP2 -> (ranks - 1) * (state + transition);
            };
    ScanTask task = new ScanTask(shape, kind, ranks, 3);
    for (int blocks : new int[] {1, 4, 100}) {
      for (ScanDirection direction : ScanDirection.values()) {
        LocalRanks.run(
            InProcessTransport.connect(ranks, Groups.LIMIT),
            transport -> {
              try (Communicator communicator = Groups.over(transport, 0)) {
                Scans.of(choice, communicator, shape, kind, blocks, ScanCosts.USUAL)
                    .start(
                        direction, task.piecesOf(transport.rank(), task.evenly(ranks), direction))
                    .await();
                int place =
                    direction == ScanDirection.FORWARD
                        ? transport.rank()
                        : ranks - 1 - transport.rank();
                assertThat(transport.receivedBytes()).isEqualTo(formula.applyAsLong(place));
              }
              return null;
            });
      }
    }
  }

  private static long floorLog(int number) {
    return Integer.SIZE - 1L - Integer.numberOfLeadingZeros(number);
  }

  @Test
  void shouldServeSubgroupsAndScansInFlightAtOnce() {
    int rounds = 20;
    for (ScanChoice choice : ScanChoice.values()) {
      ScanTask task =
          new ScanTask(shape(ElementType.DOUBLE, 2, 3, 4), TransitionKind.DIAGONAL, 4, 3);
      double[][] forward = task.plainFold(ScanDirection.FORWARD);
      double[][] backward = task.plainFold(ScanDirection.BACKWARD);
      int[] counts = {2, 2};
      LocalRanks.run(
          InProcessTransport.connect(4, Groups.LIMIT),
          transport -> {
            int rank = transport.rank();
            try (Communicator halves =
                    Communicator.over(transport, rank < 2 ? List.of(0, 1) : List.of(2, 3), 0);
                Communicator strides =
                    Communicator.over(transport, List.of(rank % 2, rank % 2 + 2), 1)) {
              StateScan first = Scans.of(choice, halves, task.shape, task.kind, 3, ScanCosts.USUAL);
              StateScan second =
                  Scans.of(choice, strides, task.shape, task.kind, 2, ScanCosts.USUAL);
              for (int round = 0; round < rounds; round++) {
                List<ScanPiece> one = task.piecesOf(halves.index(), counts, ScanDirection.FORWARD);
                List<ScanPiece> two =
                    task.piecesOf(strides.index(), counts, ScanDirection.BACKWARD);
                List<ScanPiece> three =
                    task.piecesOf(halves.index(), counts, ScanDirection.BACKWARD);
                Pending pendingOne = first.start(ScanDirection.FORWARD, one);
                Pending pendingTwo = second.start(ScanDirection.BACKWARD, two);
                Pending pendingThree = first.start(ScanDirection.BACKWARD, three);
                pendingThree.await();
                pendingTwo.await();
                pendingOne.await();
                assertSame(task, one, forward, halves.index());
                assertSame(task, two, backward, strides.index());
                assertSame(task, three, backward, halves.index());
              }
            }
            return null;
          });
    }
  }

  private static void assertSame(
      ScanTask task, List<ScanPiece> pieces, double[][] expected, int half) {
    for (int piece = 0; piece < 2; piece++) {
      Numbers.assertClose(
          Numbers.values(task.shape.type(), pieces.get(piece).incoming()),
          expected[2 * half + piece],
          1e-12);
    }
  }

  @Test
  void shouldSayHowTheStateTravels() {
    Groups.run(
        Carrier.MEMORY,
        4,
        communicator -> {
          StateShape shape = shape(ElementType.FLOAT, 2, 8, 16);
          assertThat(description(ScanChoice.CHAIN, communicator, shape, 4))
              .isEqualTo("chain in 4 blocks");
          assertThat(description(ScanChoice.REPLAY, communicator, shape, 1))
              .isEqualTo("replay in 1 block");
          assertThat(description(ScanChoice.CHAIN, communicator, shape, 40))
              .isEqualTo("chain in 16 blocks");
          assertThat(description(ScanChoice.LOG, communicator, shape, 4)).isEqualTo("log-scan");
          assertThat(description(ScanChoice.LASP1, communicator, shape, 4))
              .isEqualTo("serial chain (LASP-1) in 1 block");
          assertThat(description(ScanChoice.LASP2, communicator, shape, 4))
              .isEqualTo("all-gather of states (LASP-2)");
          return null;
        });
  }

  private static String description(
      ScanChoice choice, Communicator communicator, StateShape shape, int blocks) {
    return Scans.of(choice, communicator, shape, TransitionKind.DIAGONAL, blocks, ScanCosts.USUAL)
        .description();
  }

  @Test
  void shouldRefusePiecesOfAnotherShape() {
    StateShape shape = shape(ElementType.FLOAT, 1, 2, 3);
    ByteBuffer state = ByteBuffer.allocate(24);
    ByteBuffer factors = ByteBuffer.allocate(8);
    Groups.run(
        Carrier.MEMORY,
        1,
        communicator -> {
          for (ScanChoice choice : ScanChoice.values()) {
            StateScan scan =
                Scans.of(choice, communicator, shape, TransitionKind.DIAGONAL, 0, ScanCosts.USUAL);
            ScanPiece good = new ScanPiece(state, Transition.diagonal(factors), state);
            assertThatThrownBy(
                    () ->
                        scan.start(
                            ScanDirection.FORWARD,
                            List.of(
                                good, new ScanPiece(factors, Transition.diagonal(factors), state))))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage(
                    "Piece 1: its summary has 8 bytes where 24 go with StateShape[type=FLOAT,"
                        + " heads=1, keyWidth=2, valueWidth=3]");
            assertThatThrownBy(
                    () ->
                        scan.start(
                            ScanDirection.FORWARD,
                            List.of(new ScanPiece(state, Transition.matrix(factors), state))))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("Piece 0 has a transition MATRIX, not DIAGONAL");
          }
          return null;
        });
  }
}
