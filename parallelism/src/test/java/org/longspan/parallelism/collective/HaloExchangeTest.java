package org.longspan.parallelism.collective;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.longspan.parallelism.collective.Groups.Carrier;
import org.longspan.parallelism.mesh.BlockGrid;
import org.longspan.parallelism.mesh.Slice;
import org.longspan.parallelism.transport.Transport;

@Timeout(120)
class HaloExchangeTest {
  private static final int COLUMNS = 3;

  /** The lengths of the ranks' slices. */
  static Stream<Arguments> slices() {
    return Stream.of(
            new int[] {10},
            new int[] {4, 4},
            new int[] {5, 3, 6},
            new int[] {2, 1, 1, 3},
            new int[] {0, 5, 0, 0, 2, 0, 4},
            new int[] {3, 0, 0, 0},
            new int[] {0, 0, 0},
            new int[] {1, 1, 1, 1, 1, 1, 1})
        .flatMap(
            lengths ->
                Stream.of(
                    Arguments.of(Carrier.MEMORY, lengths), Arguments.of(Carrier.NETWORK, lengths)))
        .filter(
            arguments ->
                arguments.get()[0] == Carrier.MEMORY || ((int[]) arguments.get()[1]).length == 4);
  }

  private static List<Slice> slicesOf(int... lengths) {
    List<Slice> slices = new ArrayList<>();
    long start = 0;
    for (int length : lengths) {
      slices.add(new Slice(start, start + length));
      start += length;
    }
    return slices;
  }

  /** Element {@code column} of token {@code row}. */
  private static double element(long row, int column) {
    return row * 10.0 + column + 0.5;
  }

  private static double[] rows(long from, long to) {
    double[] values = new double[(int) (to - from) * COLUMNS];
    Arrays.setAll(values, i -> element(from + i / COLUMNS, i % COLUMNS));
    return values;
  }

  /** What {@code rank} says of the gradient of an element of its halo. */
  private static double gradient(int rank, long row, int column) {
    return Math.sin(rank * 100 + row * 3.0 + column);
  }

  @ParameterizedTest
  @MethodSource("slices")
  void shouldBringTheRowsBeforeTheSliceInOrder(Carrier carrier, int[] lengths) {
    List<Slice> slices = slicesOf(lengths);
    ElementType type = ElementType.FLOAT;
    Groups.run(
        carrier,
        lengths.length,
        communicator -> {
          Slice own = slices.get(communicator.index());
          for (int reach : new int[] {0, 1, 2, 3, 5, 100}) {
            HaloExchange exchange = new HaloExchange(communicator, slices, reach);
            int length = own.length() == 0 ? 0 : (int) Math.min(reach, own.start());
            assertThat(exchange.length()).isEqualTo(length);
            ByteBuffer tail =
                Numbers.buffer(type, rows(own.end() - Math.min(reach, own.length()), own.end()));
            ByteBuffer halo = Numbers.buffer(type, new double[length * COLUMNS]);
            long before = communicator.receivedBytes();
            exchange.startFetch(tail, COLUMNS * type.bytes(), halo).await();
            assertThat(communicator.receivedBytes() - before)
                .isEqualTo((long) length * COLUMNS * type.bytes());
            assertThat(Numbers.values(type, halo))
                .containsExactly(rows(own.start() - length, own.start()));
          }
          return null;
        });
  }

  /** Halo rows that blocks of ranks to the right have in this rank's slice, all together. */
  private static long rowsThatOthersSee(List<Slice> slices, int rank, int reach, long blockLength) {
    Slice own = slices.get(rank);
    long rows = 0;
    for (Slice right : slices.subList(rank + 1, slices.size())) {
      for (long offset = 0; offset < right.length(); offset += blockLength) {
        for (long row = own.start(); row < own.end(); row++) {
          rows += row >= right.start() + offset - reach ? 1 : 0;
        }
      }
    }
    return rows;
  }

  /** By blocks of a slice, each with a halo of its own. */
  @ParameterizedTest
  @MethodSource("slices")
  void shouldAddTheGradientsOfEveryBlocksHaloAndReceiveWhatItsFormulaSays(
      Carrier carrier, int[] lengths) {
    List<Slice> slices = slicesOf(lengths);
    for (ElementType type : ElementType.values()) {
      shouldAddTheGradientsOfEveryBlocksHalo(carrier, slices, type);
    }
  }

  private static void shouldAddTheGradientsOfEveryBlocksHalo(
      Carrier carrier, List<Slice> slices, ElementType type) {
    Groups.run(
        carrier,
        slices.size(),
        communicator -> {
          int rank = communicator.index();
          Slice own = slices.get(rank);
          for (int reach : new int[] {0, 1, 2, 3, 5, 100}) {
            for (int blockLength : new int[] {1, 2, 100}) {
              HaloGradients exchange = new HaloGradients(communicator, slices, reach, blockLength);
              long tailStart = own.end() - Math.min(reach, own.length());
              double[] tail = rows(tailStart, own.end());
              ByteBuffer tailGradient = Numbers.buffer(type, tail);
              long before = communicator.receivedBytes();
              exchange
                  .startGiveBack(
                      outerGradients(own, rank, reach, blockLength, type),
                      type,
                      COLUMNS * type.bytes(),
                      tailGradient)
                  .await();
              assertThat(communicator.receivedBytes() - before)
                  .isEqualTo(
                      rowsThatOthersSee(slices, rank, reach, blockLength) * COLUMNS * type.bytes());
              double[] expected = tail.clone();
              for (int right = rank + 1; right < slices.size(); right++) {
                Slice slice = slices.get(right);
                for (long offset = 0; offset < slice.length(); offset += blockLength) {
                  for (int i = 0; i < expected.length; i++) {
                    long row = tailStart + i / COLUMNS;
                    if (row >= slice.start() + offset - reach) {
                      expected[i] += gradient(right, row + offset, i % COLUMNS);
                    }
                  }
                }
              }
              assertThat(Numbers.values(type, tailGradient))
                  .containsExactly(expected, within(200 * Numbers.tolerance(type)));
            }
          }
          return null;
        });
  }

  /** For each block that sees rows before the slice, what it says of their gradients. */
  private static List<ByteBuffer> outerGradients(
      Slice own, int rank, int reach, int blockLength, ElementType type) {
    List<ByteBuffer> gradients = new ArrayList<>();
    for (long offset = 0; offset < own.length(); offset += blockLength) {
      long first = Math.max(0, own.start() + offset - reach);
      if (first >= own.start()) {
        break;
      }
      double[] halo = new double[(int) (own.start() - first) * COLUMNS];
      long place = offset;
      Arrays.setAll(halo, i -> gradient(rank, first + i / COLUMNS + place, i % COLUMNS));
      gradients.add(Numbers.buffer(type, halo));
    }
    return gradients;
  }

  @Test
  void shouldMoveMoreThanTheTransportHoldsAcrossSeveralRanks() {
    int rowBytes = 3 << 20;
    List<Slice> slices = slicesOf(3, 3, 3, 3);
    assertThat(3 * rowBytes).isGreaterThan(Transport.WINDOW_BYTES);
    Groups.run(
        Carrier.MEMORY,
        4,
        communicator -> {
          HaloExchange exchange = new HaloExchange(communicator, slices, 8);
          ByteBuffer tail = ByteBuffer.allocateDirect(3 * rowBytes);
          ByteBuffer halo = ByteBuffer.allocateDirect(exchange.length() * rowBytes);
          for (int row = 0; row < 3; row++) {
            tail.put((row + 1) * rowBytes - 1, (byte) (communicator.index() * 3 + row));
          }
          exchange.fetch(tail, rowBytes, halo);
          for (int row = 0; row < exchange.length(); row++) {
            assertThat((long) halo.get((row + 1) * rowBytes - 1))
                .isEqualTo(communicator.index() * 3 - exchange.length() + row);
          }
          new HaloGradients(communicator, slices, 8, 3)
              .giveBack(
                  halo.limit() == 0 ? List.of() : List.of(halo), ElementType.FLOAT, rowBytes, tail);
          return null;
        });
  }

  @Test
  void shouldServeTheSlicesOfAGridWithMoreRanksThanBlocks() {
    BlockGrid grid = new BlockGrid(20, 8);
    List<Slice> slices = new ArrayList<>();
    for (int place = 0; place < 5; place++) {
      slices.add(grid.slice(place, 5));
    }
    List<Integer> lengths =
        Groups.run(
            Carrier.MEMORY, 5, communicator -> new HaloExchange(communicator, slices, 10).length());
    assertThat(lengths).containsExactly(0, 0, 0, 8, 10);
  }

  @Test
  void shouldRefuseSlicesWithAGap() {
    Groups.run(
        Carrier.MEMORY,
        2,
        communicator -> {
          assertThatThrownBy(
                  () ->
                      new HaloExchange(communicator, List.of(new Slice(0, 3), new Slice(4, 5)), 1))
              .isInstanceOf(IllegalArgumentException.class)
              .hasMessage("Slice[start=4, end=5] does not start at 3");
          HaloExchange exchange = new HaloExchange(communicator, slicesOf(2, 2), 1);
          assertThatThrownBy(
                  () ->
                      exchange.fetch(
                          ByteBuffer.allocate(5), 4, ByteBuffer.allocate(exchange.length() * 4)))
              .isInstanceOf(IllegalArgumentException.class)
              .hasMessage("The tail has 5 bytes where 1 rows of 4 were expected");
          return null;
        });
  }
}
