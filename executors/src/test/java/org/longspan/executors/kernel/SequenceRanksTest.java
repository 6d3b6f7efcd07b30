package org.longspan.executors.kernel;

import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.longspan.executors.kernel.AttentionResult.Tolerance;
import org.longspan.executors.layer.LinearRule;
import org.longspan.executors.memory.Precision;
import org.longspan.parallelism.collective.ScanChoice;
import org.longspan.parallelism.mesh.BlockGrid;

/**
 * Every output and gradient on every rank, for every rule and for windows, on any number of ranks
 * that are cut anywhere, under strong and weak gates.
 */
class SequenceRanksTest {
  private static final int[] RANKS = {1, 2, 3, 4, 7, 16};
  private static final double[] STRENGTHS = {1, 1.0 / 16, 1.0 / 256};
  private static final int CHUNK = 16;
  private static final AttentionShape SHAPE = new AttentionShape(2, 8, 5);

  private static final AttentionShape WIDER_SHAPE = new AttentionShape(2, 32, 24);
  private static final int WIDER_CHUNK = 64;

  /** Of float on several ranks to float on one: what cutting a sequence costs. */
  private static final Tolerance AGAINST_ONE_RANK = new Tolerance(1e-6, 5e-6);

  /** What divides nothing, and what has fewer chunks than there are ranks. */
  private static final int[] LENGTHS = {131, 37};

  static Stream<Arguments> all() {
    return Arrays.stream(LinearRule.values())
        .flatMap(rule -> IntStream.of(RANKS).mapToObj(ranks -> Arguments.of(rule, ranks)));
  }

  /** Equal shares of the tokens; the blocks of a grid, some ranks perhaps without one. */
  private static List<int[]> cuts(int tokens, int ranks) {
    BlockGrid grid = new BlockGrid(tokens, CHUNK);
    return List.of(
        IntStream.range(1, ranks).map(rank -> rank * tokens / ranks).toArray(),
        IntStream.range(1, ranks).map(rank -> (int) grid.slice(rank, ranks).start()).toArray());
  }

  @ParameterizedTest
  @MethodSource("all")
  void shouldEqualTheRecurrenceOnAnyNumberOfRanks(LinearRule rule, int ranks) {
    for (double strength : STRENGTHS) {
      for (int tokens : LENGTHS) {
        AttentionCase problem =
            AttentionCase.random(ranks, rule, SHAPE, strength, Documents.one(tokens, 9));
        for (int[] cuts : cuts(tokens, ranks)) {
          LinearAttentionTest.assertEqualsRecurrence(problem, 1, CHUNK, cuts);
        }
      }
    }
  }

  @ParameterizedTest
  @MethodSource("all")
  void shouldEqualTheRecurrenceHoweverTheStateTravels(LinearRule rule, int ranks) {
    Documents documents = new Documents(131, new int[] {70}, 3);
    AttentionCase problem = AttentionCase.random(ranks, rule, SHAPE, 1.0 / 16, documents);
    AttentionResult expected = AttentionRecurrence.of(problem);
    int[] cuts = cuts(131, ranks).get(0);
    for (ScanChoice scan : ScanChoice.values()) {
      for (Precision precision : Precision.values()) {
        AttentionRanks.of(problem, precision, CHUNK)
            .withScan(scan)
            .run(cuts)
            .assertEquals(
                expected, Tolerance.of(rule, precision), scan + " in " + precision, 131, cuts);
      }
    }
  }

  /**
   * Where documents start, and where ranks are cut: inside a chunk; at slices' edges and beside
   * them; a document over three ranks and more; ranks that hold the middle of one only; ranks
   * without a token; every token a document of its own.
   */
  static Stream<Arguments> packed() {
    return Stream.of(
        Arguments.of("5", "40 80"),
        Arguments.of("0 40 80", "40 80"),
        Arguments.of("39 41 79 81", "40 80"),
        Arguments.of("20 110", "30 60 90 120"),
        Arguments.of("0 1 130", "30 60 90 120"),
        Arguments.of("0 40 64 100 129", "1 2 3 77 100 128"),
        Arguments.of("33 90", "50 50 50 90 131"),
        Arguments.of("0 40 64 100 129", "0 0 64 131"));
  }

  @ParameterizedTest
  @MethodSource("packed")
  void shouldStopStatesAtDocumentsWhereverRanksAreCut(String starts, String cuts) {
    int[] offsets = LinearAttentionTest.numbers(starts);
    Documents documents = new Documents(131, offsets, offsets[0] == 0 ? 0 : 6);
    for (LinearRule rule : LinearRule.values()) {
      for (double strength : STRENGTHS) {
        LinearAttentionTest.assertEqualsRecurrence(
            AttentionCase.random(1, rule, SHAPE, strength, documents),
            1,
            CHUNK,
            LinearAttentionTest.numbers(cuts));
      }
    }
  }

  @ParameterizedTest
  @EnumSource
  void shouldStopStatesAtHundredsOfDocumentsInASlice(LinearRule rule) {
    int[] starts = IntStream.range(0, 600).map(i -> i == 0 ? 0 : 2 * i - 1).toArray();
    AttentionCase problem =
        AttentionCase.random(2, rule, SHAPE, 1.0 / 256, new Documents(1300, starts, 0));
    LinearAttentionTest.assertEqualsRecurrence(problem, 1, CHUNK, 650);
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 2, 3, 4, 7, 16})
  void shouldReachOverAnyNumberOfRanksWithAWindow(int ranks) {
    for (int tokens : LENGTHS) {
      for (int window : new int[] {1, 5, 40, 100, 1000}) {
        for (int[] cuts : cuts(tokens, ranks)) {
          assertEqualsReference(Documents.one(tokens, 0), window, cuts);
        }
      }
    }
  }

  @ParameterizedTest
  @MethodSource("packed")
  void shouldStopWindowsAtDocumentsWhereverRanksAreCut(String starts, String cuts) {
    int[] given = LinearAttentionTest.numbers(starts);
    int[] offsets = IntStream.concat(IntStream.of(0), IntStream.of(given)).distinct().toArray();
    for (int window : new int[] {5, 70}) {
      assertEqualsReference(
          new Documents(131, offsets, 0), window, LinearAttentionTest.numbers(cuts));
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 2, 3, 4})
  void shouldStopWindowsAtHundredsOfDocumentsInASlice(int ranks) {
    int[] starts = IntStream.range(0, 300).map(i -> i == 0 ? 0 : 4 * i - i % 3).toArray();
    Documents documents = new Documents(1250, starts, 0);
    for (int window : new int[] {2, 3, 40}) {
      for (int[] cuts : cuts(documents.tokens(), ranks)) {
        assertEqualsReference(documents, window, cuts);
      }
    }
  }

  @ParameterizedTest
  @MethodSource("several")
  void shouldDifferFromOneRankByRoundingOnlyInFloat(LinearRule rule, int ranks) {
    int tokens = 700;
    Documents packed = new Documents(tokens, new int[] {0, 130, 131, 500}, 0);
    for (Documents documents : List.of(Documents.one(tokens, 9), packed)) {
      for (double strength : STRENGTHS) {
        AttentionCase problem = AttentionCase.random(ranks, rule, WIDER_SHAPE, strength, documents);
        AttentionRanks inFloat = AttentionRanks.of(problem, Precision.FLOAT, WIDER_CHUNK);
        AttentionResult one = inFloat.run();
        for (int[] cuts : cuts(tokens, ranks)) {
          String name = documents + ", strength " + strength;
          inFloat.run(cuts).assertEquals(one, AGAINST_ONE_RANK, name, tokens);
        }
      }
    }
  }

  static Stream<Arguments> several() {
    return Arrays.stream(LinearRule.values())
        .flatMap(rule -> IntStream.of(2, 3, 4, 7, 16).mapToObj(ranks -> Arguments.of(rule, ranks)));
  }

  @ParameterizedTest
  @ValueSource(ints = {2, 3, 4, 7, 16})
  void shouldDifferFromOneRankByRoundingOnlyInFloatWithAWindow(int ranks) {
    Documents documents = new Documents(700, new int[] {0, 130, 131, 500}, 0);
    for (int window : new int[] {5, 100, 1000}) {
      WindowReference reference = new WindowReference(1, WIDER_SHAPE, documents, window);
      WindowRanks inFloat = new WindowRanks(reference, window, 0, Precision.FLOAT, Seams.NONE);
      for (int[] cuts : cuts(documents.tokens(), ranks)) {
        inFloat.assertEqualOneRank(cuts);
      }
    }
  }

  private static void assertEqualsReference(Documents documents, int window, int... cuts) {
    WindowReference reference = new WindowReference(1, SHAPE, documents, window);
    for (Precision precision : Precision.values()) {
      new WindowRanks(reference, window, 0, precision, Seams.NONE).assertEqualReference(cuts);
    }
  }
}
