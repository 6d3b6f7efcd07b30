package org.longspan.executors.latent;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.time.Duration;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;
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

  /** What a rank added for each token, the bytes by which its memory grew, and those received. */
  private record Read(List<double[]> tokens, long grown, long received) {
    double[][] outputs() {
      return tokens.toArray(double[][]::new);
    }
  }

  /** How a text is read. */
  private record Manner(Precision precision, CacheSplit split, LatentReading reading) {
    static final Manner DOUBLE = new Manner(Precision.DOUBLE, CacheSplit.FORM, LatentReading.FORM);
    static final Manner FLOAT = new Manner(Precision.FLOAT, CacheSplit.FORM, LatentReading.FORM);
    static final Manner BY_TOKENS =
        new Manner(Precision.DOUBLE, CacheSplit.TOKENS, LatentReading.FORM);
    static final Manner AS_MLA = new Manner(Precision.DOUBLE, CacheSplit.FORM, LatentReading.MLA);
  }

  private static Read read(LatentCase given, Manner manner, Transport transport) {
    LatentShape shape = given.shape();
    Numerics numerics = Numerics.of(manner.precision());
    List<Integer> ranks = IntStream.range(0, transport.size()).boxed().toList();
    try (Communicator tensor = Communicator.over(transport, ranks, 1);
        Communicator sums = Communicator.over(transport, ranks, 2);
        Arena arena = new Arena("of a rank", manner.precision())) {
      LatentWeights whole = LatentWeights.whole(shape, arena);
      whole.named().forEach((name, matrix) -> LatentCase.copy(given.weights().get(name), matrix));
      if (whole.estimates() != null) {
        LatentCase.copy(new double[][] {given.estimates()}, whole.estimates());
      }
      LatentWeights weights = whole.of(shape.share(tensor.index(), tensor.size()));
      Matrix x = arena.matrix(given.tokens(), shape.width());
      LatentCase.copy(given.x(), x);
      Matrix outputs = arena.matrix(given.tokens(), shape.width());
      AbsorbedLatentAttention attention =
          new AbsorbedLatentAttention(shape, manner.split(), numerics, arena, tensor);
      long before = arena.bytes();
      for (int t = 0; t < given.tokens(); t++) {
        attention.step(x.rows(t, t + 1L), weights, manner.reading(), outputs.rows(t, t + 1L));
      }
      long grown = arena.bytes() - before;
      sums.allReduce(
          outputs.bytes(),
          manner.precision() == Precision.FLOAT ? ElementType.FLOAT : ElementType.DOUBLE);
      return new Read(List.of(LatentCase.copy(outputs)), grown, tensor.receivedBytes());
    }
  }

  private static List<Read> read(LatentCase given, Manner manner, int ranks) {
    return LocalRanks.run(
        InProcessTransport.connect(ranks, Duration.ofSeconds(60)),
        transport -> read(given, manner, transport));
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
    assertEveryTokenEquals(expected, read(given, Manner.DOUBLE, 1).get(0).outputs(), 1e-12);
    assertThat(LatentCase.relativeError(read(given, Manner.FLOAT, 1).get(0).outputs(), expected))
        .isLessThan(1e-5);
  }

  @ParameterizedTest
  @EnumSource
  void shouldGiveTheSameWhereTensorRanksShareTheCache(Variant variant) {
    LatentCase given = new LatentCase(variant.shape(4, 4), 40, 0);
    double[][] expected = expanded(given);
    for (int ranks : new int[] {2, 4}) {
      for (Read rank : read(given, Manner.DOUBLE, ranks)) {
        assertEveryTokenEquals(expected, rank.outputs(), 1e-12);
      }
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 2, 4})
  void shouldGiveTheSameWhereTensorRanksShareTheTokens(int ranks) {
    LatentCase given = new LatentCase(Variant.MLA.shape(4, 1), ranks * TOKENS, 0);
    double[][] expected = expanded(given);
    for (Read rank : read(given, Manner.BY_TOKENS, ranks)) {
      assertEveryTokenEquals(expected, rank.outputs(), 1e-12);
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 2, 4})
  void shouldReadAsMlaWithTheWeightsOfTpla(int ranks) {
    for (Variant variant : List.of(Variant.TPLA_EXACT, Variant.TPLA_LOCAL)) {
      LatentCase given = new LatentCase(variant.shape(4, 4), TOKENS, 0);
      double[][] expected = expanded(given.asMla());
      assertThat(LatentCase.relativeError(expanded(given), expected)).isGreaterThan(1e-3);
      for (Read rank : read(given, Manner.AS_MLA, ranks)) {
        assertEveryTokenEquals(expected, rank.outputs(), 1e-12);
      }
    }
  }

  @Test
  void shouldRefuseWhatAFormHasNot() {
    LatentCase mlra = new LatentCase(Variant.MLRA.shape(4, 4), 2, 0);
    assertThatThrownBy(() -> read(mlra, Manner.AS_MLA, 1)).hasMessage("mlra read as mla");
    assertThatThrownBy(() -> read(mlra, Manner.BY_TOKENS, 1))
        .hasMessage("Tokens are split over ranks for MLA, not for mlra");
  }

  @Test
  void shouldReceiveWhatIsSaidForEachToken() {
    long tokens = 40;
    LatentCase mla = new LatentCase(Variant.MLA.shape(4, 1), 40, 0);
    LatentShape sizes = mla.shape();
    assertThat(read(mla, Manner.DOUBLE, 4))
        .allSatisfy(rank -> assertThat(rank.received()).isZero());
    long ofOthers = 3L * sizes.heads() / 4;
    assertThat(read(mla, Manner.BY_TOKENS, 4))
        .allSatisfy(
            rank ->
                assertThat(rank.received())
                    .isEqualTo(
                        tokens * ofOthers * (sizes.rank() + sizes.rope() + sizes.rank() + 2) * 8));
    LatentCase exact = new LatentCase(Variant.TPLA_EXACT.shape(4, 4), 40, 0);
    // A ring's parts of one number differ in size: over all ranks it is the mean that counts.
    assertThat(read(exact, Manner.DOUBLE, 4).stream().mapToLong(Read::received).sum())
        .isEqualTo(2 * 3 * 8 * tokens);
    assertThat(read(exact, Manner.AS_MLA, 4).stream().mapToLong(Read::received).sum())
        .isEqualTo(2 * 3 * 8 * (tokens + sizes.heads() * tokens * (tokens + 1) / 2));
    LatentCase local = new LatentCase(Variant.TPLA_LOCAL.shape(4, 4), 40, 0);
    assertThat(read(local, Manner.DOUBLE, 4))
        .allSatisfy(rank -> assertThat(rank.received()).isZero());
  }

  @Test
  void shouldKeepOfATokenOnlyTheLatentAndTheRotatedKey() {
    long rows = 3L * LatentCache.BLOCK_LENGTH;
    LatentCase mla = new LatentCase(Variant.MLA.shape(4, 1), TOKENS, 0);
    assertThat(read(mla, Manner.DOUBLE, 1).get(0).grown()).isEqualTo(rows * (16 + 4) * 8);
    LatentCase tpla = new LatentCase(Variant.TPLA_LOCAL.shape(4, 4), TOKENS, 0);
    assertThat(read(tpla, Manner.DOUBLE, 1).get(0).grown()).isEqualTo(rows * (16 + 4) * 8);
    // MLA's ranks each have the whole latent; those of TPLA have their groups.
    assertThat(read(mla, Manner.DOUBLE, 2))
        .allSatisfy(rank -> assertThat(rank.grown()).isEqualTo(rows * (16 + 4) * 8));
    for (Manner manner : List.of(Manner.DOUBLE, Manner.AS_MLA)) {
      assertThat(read(tpla, manner, 2))
          .allSatisfy(rank -> assertThat(rank.grown()).isEqualTo(rows * (8 + 4) * 8));
    }
    // Where they share the tokens, half of these fill two blocks.
    assertThat(read(mla, Manner.BY_TOKENS, 2))
        .allSatisfy(
            rank ->
                assertThat(rank.grown()).isEqualTo(2L * LatentCache.BLOCK_LENGTH * (16 + 4) * 8));
  }

  /** The sizes of DeepSeek-V3, in floats of four bytes. */
  @ParameterizedTest
  @CsvSource({
    "MLA, 1, FORM, 1, 2304",
    "MLA, 1, FORM, 2, 2304",
    "MLA, 1, FORM, 4, 2304",
    "MLA, 1, FORM, 8, 2304",
    "MLA, 1, TOKENS, 1, 2304",
    "MLA, 1, TOKENS, 2, 1152",
    "MLA, 1, TOKENS, 4, 576",
    "MLA, 1, TOKENS, 8, 288",
    "TPLA, 1, FORM, 1, 2304",
    "TPLA, 2, FORM, 2, 1280",
    "TPLA, 4, FORM, 4, 768",
    "TPLA, 8, FORM, 8, 512",
    "MLRA, 1, FORM, 1, 2304",
    "MLRA, 2, FORM, 2, 1280",
    "MLRA, 4, FORM, 4, 768",
    "MLRA, 8, FORM, 8, 512"
  })
  void shouldKeepWhatTheTableSays(
      LatentForm form, int groups, CacheSplit split, int ranks, long bytesOfToken) {
    LatentShape shape =
        new LatentShape(16, 8, 0, 512, 4, 64, 4, form, LatentNorm.EXACT, groups, 10_000, 1e-6);
    // The first block of each rank has room for so many tokens of the text.
    long room =
        switch (split) {
          case FORM -> LatentCache.BLOCK_LENGTH;
          case TOKENS -> (long) LatentCache.BLOCK_LENGTH * ranks;
        };
    Manner manner = new Manner(Precision.FLOAT, split, LatentReading.FORM);
    assertThat(read(new LatentCase(shape, ranks, 0), manner, ranks))
        .allSatisfy(rank -> assertThat(rank.grown()).isEqualTo(room * bytesOfToken));
  }
}
