package org.longspan.executors.latent;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.longspan.executors.latent.LatentPlan.Sharing;
import org.longspan.executors.latent.LatentRanks.Rank;
import org.longspan.executors.memory.Precision;

/** The bytes that ranks receive against the formulas, and how evenly they work. */
class LatentTrafficTest {
  /** Of one latent attention; no two of them alike, so that none can stand for another. */
  enum Sizes {
    NARROW(12, 8, 10, 16, 6, 4, 5),
    WIDE(40, 8, 22, 48, 7, 12, 9),
    WITHOUT_QUERY_LATENT(30, 16, 0, 32, 5, 2, 7);

    private final int width;
    private final int heads;
    private final int queryRank;
    private final int rank;
    private final int nope;
    private final int rope;
    private final int value;

    Sizes(int width, int heads, int queryRank, int rank, int nope, int rope, int value) {
      this.width = width;
      this.heads = heads;
      this.queryRank = queryRank;
      this.rank = rank;
      this.nope = nope;
      this.rope = rope;
      this.value = value;
    }

    LatentShape shape(LatentForm form, LatentNorm norm, int groups) {
      return new LatentShape(
          width, heads, queryRank, rank, nope, rope, value, form, norm, groups, 10_000, 1e-6);
    }

    /** Columns of {@code dcq^}, or of the input's gradient where there is no query latent. */
    int queries() {
      return queryRank == 0 ? width : queryRank;
    }
  }

  private static final int TOKENS = 64;

  /** {@code AllReduce [dcq^ | dc^ | dkR]}, of which a ring's rank receives 2(T−1)/T. */
  @ParameterizedTest
  @EnumSource
  void shouldSumQueriesLatentAndRotatedKeyOverTheTensorRanksOfMla(Sizes sizes) {
    LatentCase given = new LatentCase(sizes.shape(LatentForm.MLA, LatentNorm.EXACT, 1), TOKENS, 0);
    for (int tensor : new int[] {2, 4, 8}) {
      for (Rank rank : new LatentRanks(given, Precision.DOUBLE, 1, tensor).run()) {
        assertThat(rank.tensorBytesForward()).isZero();
        assertThat(rank.tensorBytesBackward())
            .isEqualTo(
                2L
                    * (tensor - 1)
                    * TOKENS
                    / tensor
                    * (sizes.queries() + sizes.rank + sizes.rope)
                    * Double.BYTES);
      }
    }
  }

  static Stream<Arguments> formsOfGroups() {
    return Arrays.stream(Sizes.values())
        .flatMap(
            sizes ->
                Stream.of(
                    Arguments.of(sizes, LatentForm.TPLA, LatentNorm.EXACT, 1),
                    Arguments.of(sizes, LatentForm.TPLA, LatentNorm.LOCAL, 0),
                    Arguments.of(sizes, LatentForm.MLRA, LatentNorm.LOCAL, 0)));
  }

  /**
   * {@code AllReduce [dcq^ | dkR]}, one number more each way for an exact norm, and a gather of
   * {@code dc}.
   */
  @ParameterizedTest
  @MethodSource("formsOfGroups")
  void shouldSumQueriesAndRotatedKeyOverTheTensorRanksThatShareGroups(
      Sizes sizes, LatentForm form, LatentNorm norm, int scalars) {
    LatentCase given = new LatentCase(sizes.shape(form, norm, 8), TOKENS, 0);
    for (int tensor : new int[] {2, 4, 8}) {
      for (Rank rank : new LatentRanks(given, Precision.FLOAT, 1, tensor).run()) {
        long aNumber = (long) Float.BYTES * TOKENS * (tensor - 1) / tensor;
        assertThat(rank.tensorBytesForward()).isEqualTo(2 * aNumber * scalars);
        assertThat(rank.tensorBytesBackward())
            .isEqualTo(
                2 * aNumber * (sizes.queries() + sizes.rope + scalars) + aNumber * sizes.rank);
      }
    }
  }

  @ParameterizedTest
  @MethodSource("formsOfGroups")
  void shouldSendLatentsToTheRightAndTheirGradientsBackWhereEachRankWorksForItself(
      Sizes sizes, LatentForm form, LatentNorm norm) {
    LatentCase given = new LatentCase(sizes.shape(form, norm, 2), 256, 0);
    List<Rank> ranks =
        new LatentRanks(given, Precision.DOUBLE, 4, 2).sharing(Sharing.CONTIGUOUS).run();
    // Half of the latent lies on each of two tensor ranks.
    long slice = 64L * (sizes.rank / 2 + sizes.rope) * Double.BYTES;
    for (Rank rank : ranks) {
      assertThat(rank.sequenceBytesForward()).isEqualTo(rank.sequence() * slice);
      assertThat(rank.sequenceBytesBackward())
          .isEqualTo(rank.sequence() * slice + (3 - rank.sequence()) * slice);
    }
  }

  @ParameterizedTest
  @EnumSource
  void shouldSendLatentsRoundTheRingAndSomeQueriesWhereWorkIsShared(Sizes sizes) {
    LatentCase given = new LatentCase(sizes.shape(LatentForm.MLA, LatentNorm.EXACT, 1), 1024, 0);
    List<Rank> ranks = new LatentRanks(given, Precision.FLOAT, 4, 2).run();
    int heads = sizes.heads / 2;
    for (Rank rank : ranks) {
      LatentPlan plan = rank.plan();
      long arriving = 0;
      long returning = 0;
      for (int other = 0; other < 4; other++) {
        arriving += plan.comesTo(rank.sequence(), other) ? 256 : 0;
        boolean isOther = other != rank.sequence();
        returning += isOther && plan.needs(other, rank.sequence()) ? 256 : 0;
      }
      long latent = (long) sizes.rank + sizes.rope;
      long query = (long) heads * (sizes.nope + sizes.rope);
      long output = (long) heads * sizes.value;
      long taken = plan.taken(rank.sequence());
      long gave = plan.given(rank.sequence());
      assertThat(rank.sequenceBytesForward())
          .isEqualTo(Float.BYTES * (arriving * latent + taken * query + gave * (output + heads)));
      assertThat(rank.sequenceBytesBackward())
          .isEqualTo(
              Float.BYTES
                  * ((arriving + returning) * latent
                      + taken * (query + output + 2L * heads)
                      + gave * query));
    }
    assertThat(ranks.stream().mapToLong(rank -> rank.plan().taken(rank.sequence())).sum())
        .isPositive();
  }

  @ParameterizedTest
  @CsvSource({"4, 1024", "4, 4000", "3, 1000", "8, 4096"})
  void shouldShareTheWorkEvenly(int sequence, int tokens) {
    LatentCase given = small(tokens, 0);
    List<Rank> shared = new LatentRanks(given, Precision.FLOAT, sequence, 1).run();
    assertThat(slowest(shared)).isLessThan(1.15);
    for (Rank rank : shared) {
      // Once forward, once backward.
      assertThat(rank.pairs()).isEqualTo(2 * rank.plan().pairs(rank.sequence()));
    }
  }

  @Test
  void shouldLeaveTheLastRankWithNearlyTwiceTheWorkWhereNothingIsShared() {
    List<Rank> alone =
        new LatentRanks(small(1024, 0), Precision.FLOAT, 4, 1).sharing(Sharing.CONTIGUOUS).run();
    assertThat(slowest(alone)).isBetween(1.7, 1.75);
  }

  @Test
  void shouldShareTheWorkOfDocumentsOfAllLengths() {
    LatentCase given = small(2048, 0, 50, 60, 700, 1900);
    assertThat(slowest(new LatentRanks(given, Precision.FLOAT, 4, 1).run())).isLessThan(1.15);
  }

  @Test
  void shouldSendNothingBetweenSlicesWhereADocumentStartsWithEach() {
    LatentCase given = small(1024, 0, 256, 512, 768);
    for (Rank rank : new LatentRanks(given, Precision.FLOAT, 4, 1).run()) {
      assertThat(rank.sequenceBytesForward()).isZero();
      assertThat(rank.sequenceBytesBackward()).isZero();
    }
  }

  private static LatentCase small(int tokens, int... documents) {
    return new LatentCase(
        new LatentShape(2, 1, 0, 2, 2, 2, 2, LatentForm.MLA, LatentNorm.EXACT, 1, 10_000, 1e-6),
        tokens,
        documents);
  }

  /** The slowest rank's work over the mean. */
  private static double slowest(List<Rank> ranks) {
    double most = ranks.stream().mapToLong(Rank::pairs).max().orElseThrow();
    return most / ranks.stream().mapToLong(Rank::pairs).average().orElseThrow();
  }
}
