package org.longspan.executors.bench.recall;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.longspan.datapipeline.InvalidInputException;
import org.longspan.executors.layer.SliceInput;

class RecallTaskTest {
  private static final RecallTask TASK = new RecallTask(4, 40, 7);

  @ParameterizedTest
  @CsvSource({"2, 16", "2, 128", "5, 21"})
  void shouldPutKeysOnTheFirstRankAndQueriesOnTheLast(int ranks, int tokensOfRank) {
    RecallTask task = new RecallTask(ranks, tokensOfRank, 3);
    for (long number = -20; number < 20; number++) {
      Map<Integer, Integer> pairs = pairs(task.slice(number, 0));
      assertThat(pairs).hasSize(RecallTask.PAIRS);
      SliceInput last = task.slice(number, ranks - 1);
      Set<Integer> asked = new HashSet<>();
      for (int t = 0; t < tokensOfRank; t++) {
        int target = last.targets()[t];
        if (target >= 0) {
          asked.add(last.tokens()[t]);
          assertThat(pairs).containsEntry(last.tokens()[t], target);
        } else {
          assertThat(last.tokens()[t]).isEqualTo(RecallTask.FILLER);
        }
      }
      assertThat(asked).isEqualTo(pairs.keySet());
      assertThat(last.predicted()).isEqualTo(RecallTask.PAIRS);
    }
  }

  private static Map<Integer, Integer> pairs(SliceInput first) {
    Map<Integer, Integer> pairs = new HashMap<>();
    int[] tokens = first.tokens();
    for (int t = 0; t < tokens.length; t++) {
      if (isKey(tokens[t])) {
        assertThat(isValue(tokens[t + 1])).isTrue();
        pairs.put(tokens[t], tokens[t + 1]);
      }
    }
    return pairs;
  }

  private static boolean isKey(int token) {
    return token >= RecallTask.FIRST_KEY && token < RecallTask.FIRST_KEY + RecallTask.KEYS;
  }

  private static boolean isValue(int token) {
    return token >= RecallTask.FIRST_VALUE && token < RecallTask.VOCABULARY;
  }

  @Test
  void shouldAskNothingButOnTheLastRankAndFillTheRanksBetween() {
    for (int place = 0; place < 3; place++) {
      assertThat(TASK.slice(1, place).predicted()).isZero();
    }
    assertThat(TASK.slice(1, 1).tokens()).hasSize(40).containsOnly(RecallTask.FILLER);
    assertThat(TASK.slice(1, 2).tokens()).hasSize(40).containsOnly(RecallTask.FILLER);
    assertThat(TASK.slice(1, 3).firstPosition()).isEqualTo(120);
  }

  @Test
  void shouldBeOneDocumentSoThatNothingButACutEndsAState() {
    assertThat(TASK.slice(1, 0).documents().start(0)).isZero();
    for (int place = 1; place < 4; place++) {
      assertThat(TASK.slice(1, place).documents().count()).isZero();
      assertThat(TASK.slice(1, place).documents().before()).isEqualTo(40L * place);
    }
  }

  @Test
  void shouldGiveEveryRankTheSameSequenceAndEveryNumberAnotherOne() {
    assertThat(TASK.slice(5, 0).tokens()).isEqualTo(TASK.slice(5, 0).tokens());
    assertThat(
            IntStream.range(-500, 500)
                .mapToObj(number -> Arrays.toString(TASK.slice(number, 0).tokens()))
                .distinct())
        .hasSize(1000);
    assertThat(new RecallTask(4, 40, 8).slice(5, 0).tokens())
        .isNotEqualTo(TASK.slice(5, 0).tokens());
  }

  /** Chance is what is right of guesses: no value is likelier, not even for a key. */
  @Test
  void shouldLeaveAGuesserAtChance() {
    int sequences = 20_000;
    int[][] counts = new int[RecallTask.VOCABULARY][RecallTask.VOCABULARY];
    int[] ofKey = new int[RecallTask.VOCABULARY];
    for (int number = 0; number < sequences; number++) {
      pairs(TASK.slice(number, 0))
          .forEach(
              (key, value) -> {
                counts[key][value]++;
                ofKey[key]++;
              });
    }
    for (int key = RecallTask.FIRST_KEY; key < RecallTask.FIRST_VALUE; key++) {
      int likeliest = Arrays.stream(counts[key]).max().orElseThrow();
      assertThat((double) likeliest / ofKey[key]).isCloseTo(RecallTask.CHANCE, within(0.012));
    }
    assertThat(RecallTask.CHANCE).isEqualTo(0.0625);
  }

  @Test
  void shouldRefuseOneRankAndSlicesWithoutRoom() {
    assertThatThrownBy(() -> new RecallTask(1, 128, 1))
        .isInstanceOf(InvalidInputException.class)
        .hasMessageContaining("2 ranks or more");
    assertThatThrownBy(() -> new RecallTask(2, 15, 1))
        .isInstanceOf(InvalidInputException.class)
        .hasMessage("Recall takes slices of 16 to 16,384 tokens, not 15");
    assertThatThrownBy(() -> new RecallTask(2, 16_385, 1))
        .isInstanceOf(InvalidInputException.class);
  }
}
