package org.longspan.executors.latent;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.longspan.executors.latent.LatentAttentionTest.Variant;
import org.longspan.executors.math.Numerics;
import org.longspan.executors.memory.Arena;
import org.longspan.executors.memory.Matrix;
import org.longspan.executors.memory.Precision;
import org.longspan.parallelism.collective.Communicator;
import org.longspan.parallelism.collective.ElementType;
import org.longspan.parallelism.transport.InProcessTransport;
import org.longspan.parallelism.transport.LocalRanks;
import org.longspan.parallelism.transport.Transport;

/** The absorbed form, a token at a time, against the expanded form over the whole sequence. */
class AbsorbedLatentAttentionTest {
  /** More than two blocks of the cache. */
  private static final int TOKENS = 2 * LatentCache.BLOCK_LENGTH + 21;

  /** What a rank added for each token, and the bytes by which its memory grew. */
  private record Read(List<double[]> tokens, long grown) {
    double[][] outputs() {
      return tokens.toArray(double[][]::new);
    }
  }

  private static Read read(LatentCase given, Precision precision, int ranks, Transport transport) {
    LatentShape shape = given.shape();
    LatentShare share = shape.share(transport.rank(), ranks);
    Numerics numerics = Numerics.of(precision);
    ElementType type = precision == Precision.FLOAT ? ElementType.FLOAT : ElementType.DOUBLE;
    try (Communicator tensor =
            Communicator.over(transport, IntStream.range(0, ranks).boxed().toList(), 1);
        Arena arena = new Arena("of a rank", precision)) {
      LatentWeights whole = LatentWeights.whole(shape, arena);
      whole.named().forEach((name, matrix) -> LatentCase.copy(given.weights().get(name), matrix));
      if (whole.estimates() != null) {
        LatentCase.copy(new double[][] {given.estimates()}, whole.estimates());
      }
      LatentWeights weights = whole.of(share);
      Matrix x = arena.matrix(given.tokens(), shape.width());
      LatentCase.copy(given.x(), x);
      Matrix outputs = arena.matrix(given.tokens(), shape.width());
      AbsorbedLatentAttention attention =
          ranks == 1
              ? new AbsorbedLatentAttention(shape, numerics, arena)
              : new AbsorbedLatentAttention(
                  share, numerics, arena, rows -> tensor.allReduce(rows.bytes(), type));
      long before = arena.bytes();
      for (int t = 0; t < given.tokens(); t++) {
        attention.step(x.rows(t, t + 1L), weights, outputs.rows(t, t + 1L));
      }
      long grown = arena.bytes() - before;
      tensor.allReduce(outputs.bytes(), type);
      return new Read(List.of(LatentCase.copy(outputs)), grown);
    }
  }

  private static List<Read> read(LatentCase given, Precision precision, int ranks) {
    return LocalRanks.run(
        InProcessTransport.connect(ranks, Duration.ofSeconds(60)),
        transport -> read(given, precision, ranks, transport));
  }

  private static double[][] expanded(LatentCase given) {
    return new LatentRanks(given, Precision.DOUBLE, 1, 1).run().get(0).u();
  }

  private static void assertEveryTokenEquals(double[][] expected, double[][] found, double limit) {
    assertThat(found).hasSameDimensionsAs(expected);
    for (int t = 0; t < expected.length; t++) {
      assertThat(LatentCase.relativeError(new double[][] {found[t]}, new double[][] {expected[t]}))
          .as("token %d", t)
          .isLessThan(limit);
    }
  }

  @ParameterizedTest
  @EnumSource
  void shouldGiveEachTokenWhatTheExpandedFormGivesIt(Variant variant) {
    LatentCase given = new LatentCase(variant.shape(4, 4), TOKENS, 0);
    double[][] expected = expanded(given);
    assertEveryTokenEquals(expected, read(given, Precision.DOUBLE, 1).get(0).outputs(), 1e-12);
    assertThat(LatentCase.relativeError(read(given, Precision.FLOAT, 1).get(0).outputs(), expected))
        .isLessThan(1e-5);
  }

  @ParameterizedTest
  @EnumSource
  void shouldGiveTheSameWhereTensorRanksShareTheCache(Variant variant) {
    LatentCase given = new LatentCase(variant.shape(4, 4), 40, 0);
    double[][] expected = expanded(given);
    for (int ranks : new int[] {2, 4}) {
      for (Read rank : read(given, Precision.DOUBLE, ranks)) {
        assertEveryTokenEquals(expected, rank.outputs(), 1e-12);
      }
    }
  }

  @Test
  void shouldKeepOfATokenOnlyTheLatentAndTheRotatedKey() {
    long rows = 3L * LatentCache.BLOCK_LENGTH;
    LatentCase mla = new LatentCase(Variant.MLA.shape(4, 1), TOKENS, 0);
    assertThat(read(mla, Precision.DOUBLE, 1).get(0).grown()).isEqualTo(rows * (16 + 4) * 8);
    LatentCase tpla = new LatentCase(Variant.TPLA_LOCAL.shape(4, 4), TOKENS, 0);
    assertThat(read(tpla, Precision.DOUBLE, 1).get(0).grown()).isEqualTo(rows * (16 + 4) * 8);
    // MLA's ranks each have the whole latent; those of TPLA have their groups.
    assertThat(read(mla, Precision.DOUBLE, 2))
        .allSatisfy(rank -> assertThat(rank.grown()).isEqualTo(rows * (16 + 4) * 8));
    assertThat(read(tpla, Precision.DOUBLE, 2))
        .allSatisfy(rank -> assertThat(rank.grown()).isEqualTo(rows * (8 + 4) * 8));
  }
}
