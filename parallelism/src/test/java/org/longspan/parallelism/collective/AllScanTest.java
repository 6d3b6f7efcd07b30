package org.longspan.parallelism.collective;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.longspan.parallelism.collective.Groups.Carrier;
import org.longspan.parallelism.transport.LocalRanks;

@Timeout(120)
class AllScanTest {
  private static final String GROUPS = "org.longspan.parallelism.collective.Groups#all";

  /** Rows, columns, blocks. */
  private static final int[][] SHAPES = {
    {1, 1, 1}, {5, 3, 1}, {5, 3, 2}, {5, 3, 5}, {4, 7, 9}, {64, 2100, 3}, {3, 0, 2}, {0, 4, 1}
  };

  /** The plain recurrence, one rank after the other; what comes in to each. */
  private static double[][] recurrence(
      ScanDirection direction, double[] initial, double[][] summaries, double[][] transitions) {
    int ranks = summaries.length;
    double[][] incoming = new double[ranks][];
    double[] state = initial;
    for (int step = 0; step < ranks; step++) {
      int rank = direction == ScanDirection.FORWARD ? step : ranks - 1 - step;
      incoming[rank] = state;
      double[] next = summaries[rank].clone();
      int columns = next.length / Math.max(1, transitions[rank].length);
      for (int i = 0; i < next.length; i++) {
        double factor = transitions[rank][i / columns];
        if (factor != 0) {
          next[i] += factor * state[i];
        }
      }
      state = next;
    }
    return incoming;
  }

  private static List<double[]> scan(
      Carrier carrier,
      ElementType type,
      ScanDirection direction,
      int[] shape,
      double[] initial,
      double[][] summaries,
      double[][] transitions) {
    int ranks = summaries.length;
    int first = direction == ScanDirection.FORWARD ? 0 : ranks - 1;
    return Groups.run(
        carrier,
        ranks,
        communicator -> {
          int rank = communicator.index();
          AllScan scan = new AllScan(communicator, type, shape[0], shape[1], shape[2]);
          ByteBuffer summary = Numbers.buffer(type, summaries[rank]);
          double[] anything = new double[initial.length];
          Arrays.fill(anything, 1e30);
          ByteBuffer incoming = Numbers.buffer(type, rank == first ? initial : anything);
          ByteBuffer before = Numbers.buffer(type, summaries[rank]);
          scan.start(direction, summary, transitions[rank], incoming).await();
          assertThat(summary).isEqualTo(before);
          return Numbers.values(type, incoming);
        });
  }

  @ParameterizedTest
  @MethodSource(GROUPS)
  void shouldAgreeWithThePlainRecurrence(Carrier carrier, int ranks) {
    for (int[] shape : SHAPES) {
      for (ElementType type : ElementType.values()) {
        for (ScanDirection direction : ScanDirection.values()) {
          int length = shape[0] * shape[1];
          Random random = new Random(length);
          double[] initial = Numbers.random(length, 99);
          double[][] summaries = new double[ranks][];
          double[][] transitions = new double[ranks][];
          for (int rank = 0; rank < ranks; rank++) {
            summaries[rank] = Numbers.random(length, rank);
            transitions[rank] = random.doubles(shape[0], 0.3, 1).toArray();
          }
          double[][] expected = recurrence(direction, initial, summaries, transitions);
          List<double[]> actual =
              scan(carrier, type, direction, shape, initial, summaries, transitions);
          for (int rank = 0; rank < ranks; rank++) {
            Numbers.assertClose(actual.get(rank), expected[rank], 4 * Numbers.tolerance(type));
          }
        }
      }
    }
  }

  @Test
  void shouldDropWhatComesInWhereTheFactorIsZero() {
    int[] shape = {3, 2, 2};
    double[] initial = {Double.NaN, Double.POSITIVE_INFINITY, 1, 2, Double.NaN, -3};
    double[][] summaries = {{1, 2, 3, 4, 5, 6}, {10, 20, 30, 40, 50, 60}, new double[6]};
    double[][] transitions = {{0, 0.5, 0}, {0.5, 0, 1}, {1, 1, 1}};
    for (ElementType type : ElementType.values()) {
      List<double[]> incoming =
          scan(Carrier.MEMORY, type, ScanDirection.FORWARD, shape, initial, summaries, transitions);
      assertThat(incoming.get(0)).containsExactly(initial);
      assertThat(incoming.get(1)).containsExactly(1, 2, 3.5, 5, 5, 6);
      assertThat(incoming.get(2)).containsExactly(10.5, 21, 30, 40, 55, 66);
    }
  }

  @Test
  void shouldHandTheStateThroughRanksWithNothingToTheLastBit() {
    int[] shape = {4, 3, 3};
    double[][] summaries = new double[5][12];
    double[][] transitions = new double[5][];
    Arrays.setAll(transitions, rank -> new double[] {1, 1, 1, 1});
    double[] initial = Numbers.random(12, 5);
    for (ScanDirection direction : ScanDirection.values()) {
      assertThat(
              scan(
                  Carrier.MEMORY,
                  ElementType.DOUBLE,
                  direction,
                  shape,
                  initial,
                  summaries,
                  transitions))
          .allSatisfy(incoming -> assertThat(incoming).containsExactly(initial));
    }
  }

  @ParameterizedTest
  @MethodSource(GROUPS)
  void shouldReceiveTheStateOnceHoweverManyBlocksThereAre(Carrier carrier, int ranks) {
    for (int blocks : new int[] {1, 4, 100}) {
      LocalRanks.run(
          carrier.connect(ranks, Groups.LIMIT),
          transport -> {
            try (Communicator communicator = Groups.over(transport, 0)) {
              AllScan scan = new AllScan(communicator, ElementType.FLOAT, 12, 5, blocks);
              ByteBuffer summary = Numbers.buffer(ElementType.FLOAT, new double[60]);
              ByteBuffer incoming = Numbers.buffer(ElementType.FLOAT, new double[60]);
              scan.start(ScanDirection.FORWARD, summary, new double[12], incoming).await();
              assertThat(transport.receivedBytes()).isEqualTo(transport.rank() == 0 ? 0 : 240);
            }
            return null;
          });
    }
  }

  @Test
  void shouldCutTheStateForTheLeastTime() {
    assertThat(AllScan.blocks(1, 1 << 20)).isEqualTo(1);
    assertThat(AllScan.blocks(2, 1 << 20)).isEqualTo(1);
    assertThat(AllScan.blocks(10, 1_000_000, 1e-4, 1e9)).isEqualTo(9);
    for (int ranks : new int[] {3, 8, 64}) {
      int bytes = 4 << 20;
      int best = AllScan.blocks(ranks, bytes, 5e-5, 2e9);
      assertThat(time(ranks, best, bytes)).isLessThanOrEqualTo(time(ranks, best + 2, bytes));
      assertThat(time(ranks, best, bytes)).isLessThanOrEqualTo(time(ranks, best - 2, bytes));
    }
  }

  private static double time(int ranks, int blocks, int bytes) {
    return (ranks - 1 + blocks - 1) * (5e-5 + bytes / (blocks * 2e9));
  }

  @Test
  void shouldRefuseBuffersOfAnotherShape() {
    Groups.run(
        Carrier.MEMORY,
        1,
        communicator -> {
          AllScan scan = new AllScan(communicator, ElementType.FLOAT, 2, 3, 1);
          assertThatThrownBy(
                  () ->
                      scan.start(
                          ScanDirection.FORWARD,
                          ByteBuffer.allocate(24),
                          new double[3],
                          ByteBuffer.allocate(24)))
              .isInstanceOf(IllegalArgumentException.class)
              .hasMessage(
                  "A state of 2 rows of 12 bytes does not go with a summary of 24 bytes, an"
                      + " incoming state of 24 and 3 factors");
          return null;
        });
  }
}
