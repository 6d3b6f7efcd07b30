package org.longspan.executors.latent;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.longspan.executors.latent.LatentPlan.Sharing;
import org.longspan.executors.latent.LatentRanks.Rank;
import org.longspan.executors.memory.Precision;

/** The bytes that ranks receive against the formulas, and how evenly they work. */
class LatentTrafficTest {
  private static final int WIDTH = 12;
  private static final int HEADS = 8;
  private static final int QUERY_RANK = 10;
  private static final int RANK = 16;
  private static final int NOPE = 6;
  private static final int ROPE = 4;
  private static final int VALUE = 5;

  private static LatentShape shape(LatentForm form, LatentNorm norm, int groups) {
    return new LatentShape(
        WIDTH, HEADS, QUERY_RANK, RANK, NOPE, ROPE, VALUE, form, norm, groups, 10_000, 1e-6);
  }

  @ParameterizedTest
  @ValueSource(ints = {2, 4, 8})
  void shouldSumQueriesLatentAndRotatedKeyOverTheTensorRanksOfMla(int tensor) {
    LatentCase given = new LatentCase(shape(LatentForm.MLA, LatentNorm.EXACT, 1), 64, 0);
    for (Rank rank : new LatentRanks(given, Precision.DOUBLE, 1, tensor).run()) {
      assertThat(rank.tensorBytesForward()).isZero();
      assertThat(rank.tensorBytesBackward())
          .isEqualTo(2L * (tensor - 1) * 64 / tensor * (QUERY_RANK + RANK + ROPE) * Double.BYTES);
    }
  }

  @ParameterizedTest
  @CsvSource({"TPLA, EXACT, 1", "TPLA, LOCAL, 0", "MLRA, LOCAL, 0"})
  void shouldSumQueriesAndRotatedKeyOverTheTensorRanksThatShareGroups(
      LatentForm form, LatentNorm norm, int scalars) {
    for (int tensor : new int[] {2, 4, 8}) {
      LatentCase given = new LatentCase(shape(form, norm, 8), 64, 0);
      for (Rank rank : new LatentRanks(given, Precision.FLOAT, 1, tensor).run()) {
        long aToken = Float.BYTES * 64L * (tensor - 1) / tensor;
        assertThat(rank.tensorBytesForward()).isEqualTo(2 * aToken * scalars);
        assertThat(rank.tensorBytesBackward())
            .isEqualTo(2 * aToken * (QUERY_RANK + ROPE + scalars) + aToken * RANK);
      }
    }
  }

  @Test
  void shouldSendLatentsToTheRightAndTheirGradientsBackWhereEachRankWorksForItself() {
    LatentCase given = new LatentCase(shape(LatentForm.TPLA, LatentNorm.EXACT, 2), 256, 0);
    List<Rank> ranks =
        new LatentRanks(given, Precision.DOUBLE, 4, 2).sharing(Sharing.CONTIGUOUS).run();
    // Half of the latent lies on each of two tensor ranks.
    long slice = 64L * (RANK / 2 + ROPE) * Double.BYTES;
    for (Rank rank : ranks) {
      assertThat(rank.sequenceBytesForward()).isEqualTo(rank.sequence() * slice);
      assertThat(rank.sequenceBytesBackward())
          .isEqualTo(rank.sequence() * slice + (3 - rank.sequence()) * slice);
    }
  }

  @Test
  void shouldSendLatentsRoundTheRingAndSomeQueriesWhereWorkIsShared() {
    LatentCase given = new LatentCase(shape(LatentForm.MLA, LatentNorm.EXACT, 1), 1024, 0);
    List<Rank> ranks = new LatentRanks(given, Precision.FLOAT, 4, 2).run();
    int heads = HEADS / 2;
    for (Rank rank : ranks) {
      LatentPlan plan = rank.plan();
      long arriving = 0;
      long returning = 0;
      for (int other = 0; other < 4; other++) {
        arriving += plan.comesTo(rank.sequence(), other) ? 256 : 0;
        boolean isOther = other != rank.sequence();
        returning += isOther && plan.needs(other, rank.sequence()) ? 256 : 0;
      }
      long latent = RANK + ROPE;
      long query = (long) heads * (NOPE + ROPE);
      long output = (long) heads * VALUE;
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
