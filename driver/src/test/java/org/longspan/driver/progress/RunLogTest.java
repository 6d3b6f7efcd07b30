package org.longspan.driver.progress;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.apache.hadoop.conf.Configuration;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.longspan.executors.train.RankEvent;

class RunLogTest {
  @TempDir Path folder;
  private Path file;

  @BeforeEach
  void nameFile() {
    file = folder.resolve("run.jsonl");
  }

  @Test
  void shouldWriteOneObjectAStep() throws IOException {
    try (RunLog log = create()) {
      log.add(new RankEvent.Step(1, 5.5, 32_768, 2.0, 1.25, 8e-4));
    }
    assertThat(lines()).hasSize(1);
    JsonNode object = lines().get(0);
    assertThat(object.fieldNames())
        .toIterable()
        .containsExactly(
            "step",
            "loss",
            "tokens",
            "tokens_per_second",
            "seconds",
            "gradient_norm",
            "learning_rate");
    assertThat(object.get("step").asLong()).isEqualTo(1);
    assertThat(object.get("loss").asDouble()).isEqualTo(5.5);
    assertThat(object.get("tokens").asLong()).isEqualTo(32_768);
    assertThat(object.get("tokens_per_second").asDouble()).isEqualTo(16_384);
    assertThat(object.get("gradient_norm").asDouble()).isEqualTo(1.25);
    assertThat(object.get("learning_rate").asDouble()).isEqualTo(8e-4);
  }

  @Test
  void shouldHoldAStepBackUntilItsValidationMayHaveCome() throws IOException {
    try (RunLog log = create()) {
      log.add(step(1));
      log.add(step(2));
      assertThat(stepNumbers()).containsExactly(1L);
      log.add(new RankEvent.Validation(2, 4.25, 1000));
      assertThat(stepNumbers()).containsExactly(1L, 2L);
      log.add(step(3));
    }
    assertThat(lines().get(0).has("validation_loss")).isFalse();
    assertThat(lines().get(1).get("validation_loss").asDouble()).isEqualTo(4.25);
    assertThat(lines().get(2).has("validation_loss")).isFalse();
  }

  @Test
  void shouldPutALateValidationIntoAStepThatIsWritten() throws IOException {
    try (RunLog log = create()) {
      log.add(step(1));
      log.flush();
      log.add(new RankEvent.Validation(1, 4.0, 1000));
      log.add(step(2));
    }
    assertThat(stepNumbers()).containsExactly(1L, 2L);
    assertThat(lines().get(0).get("validation_loss").asDouble()).isEqualTo(4.0);
  }

  @Test
  void shouldHoldEachStepOnceAfterAResume() throws IOException {
    try (RunLog log = create()) {
      for (int i = 1; i <= 5; i++) {
        log.add(step(i));
      }
    }
    try (RunLog log = open()) {
      log.cutAfter(3);
      assertThat(stepNumbers()).containsExactly(1L, 2L, 3L);
      log.add(new RankEvent.Step(4, 9.0, 10, 1, 1, 1));
    }
    assertThat(stepNumbers()).containsExactly(1L, 2L, 3L, 4L);
    assertThat(lines().get(3).get("loss").asDouble()).isEqualTo(9.0);
  }

  @Test
  void shouldReplaceStepsThatAnAttemptBeganAnew() throws IOException {
    try (RunLog log = create()) {
      log.add(step(1));
      log.add(step(2));
      log.add(step(3));
      log.add(new RankEvent.Step(1, 9.0, 10, 1, 1, 1));
    }
    assertThat(stepNumbers()).containsExactly(1L);
    assertThat(lines().get(0).get("loss").asDouble()).isEqualTo(9.0);
  }

  @Test
  void shouldLogAFailedAttemptBetweenTheStepsAndKeepItOverAResume() throws IOException {
    try (RunLog log = create()) {
      log.add(step(1));
      log.add(step(2));
      log.add(new RankEvent.Failed(1, 0, "worker-b", "Rank 1, peer 0: \"nothing\" arrived"));
      assertThat(lines()).as("flushed").hasSize(3);
      log.cutAfter(1);
      log.add(new RankEvent.Step(2, 9.0, 10, 1, 1, 1));
      assertThat(log.lastStep()).isEqualTo(2);
    }
    try (RunLog log = open()) {
      log.add(step(3));
      log.add(new RankEvent.Failed(0, 0, "worker-a", "killed"));
      assertThat(log.steps()).extracting(StepRecord::step).containsExactly(1L, 2L, 3L);
      assertThat(log.failures())
          .containsExactly(
              new FailedAttempt(1, 2, 1, "worker-b", "Rank 1, peer 0: \"nothing\" arrived"),
              new FailedAttempt(1, 3, 0, "worker-a", "killed"));
    }
    assertThat(lines())
        .extracting(line -> line.path("step").asLong())
        .containsExactly(1L, 0L, 2L, 3L, 0L);
    assertThat(lines().get(1).fieldNames())
        .toIterable()
        .containsExactly("failed_attempt", "after_step", "rank", "host", "sentence");
    assertThat(lines().get(1).get("failed_attempt").asInt()).isEqualTo(1);
    assertThat(lines().get(1).get("after_step").asLong()).isEqualTo(2);
    assertThat(lines().get(1).get("sentence").asText())
        .isEqualTo("Rank 1, peer 0: \"nothing\" arrived");
  }

  @Test
  void shouldLogOfEachRankOfAnAttemptOnlyTheLastExplanation() throws IOException {
    try (RunLog log = create()) {
      log.add(step(1));
      log.add(new RankEvent.Failed(0, 0, "worker-a", "the peer is lost"));
      log.add(new RankEvent.Failed(1, 0, "worker-b", "nothing arrived"));
      log.add(new RankEvent.Failed(1, 0, "worker-b", "killed"));
      log.add(new RankEvent.Failed(1, 1, "worker-b", "killed again"));
    }
    assertThat(lines()).hasSize(4);
    assertThat(lines().subList(1, 4))
        .extracting(line -> line.get("sentence").asText())
        .containsExactly("the peer is lost", "killed", "killed again");
  }

  @Test
  void shouldPutAValidationIntoItsStepAcrossAFailedAttempt() throws IOException {
    try (RunLog log = create()) {
      log.add(step(1));
      log.add(new RankEvent.Failed(0, 0, "worker-a", "the peer is lost"));
      log.add(new RankEvent.Validation(1, 4.0, 1000));
      log.add(new RankEvent.Validation(7, 5.0, 1000));
    }
    assertThat(lines().get(0).get("validation_loss").asDouble()).isEqualTo(4.0);
  }

  @Test
  void shouldDropALineThatWasCutShort() throws IOException {
    try (RunLog log = create()) {
      log.add(step(1));
    }
    Files.writeString(file, Files.readString(file) + "{\"step\":2,\"lo");
    try (RunLog log = open()) {
      log.add(step(2));
    }
    assertThat(stepNumbers()).containsExactly(1L, 2L);
  }

  @Test
  void shouldKeepValidationsOverAResume() throws IOException {
    try (RunLog log = create()) {
      log.add(step(1));
      log.add(new RankEvent.Validation(1, 4.5, 10));
    }
    try (RunLog log = open()) {
      log.add(step(2));
      assertThat(log.steps().get(0).validationLoss()).hasValue(4.5);
    }
    assertThat(lines().get(0).get("validation_loss").asDouble()).isEqualTo(4.5);
  }

  @Test
  void shouldWriteNullForWhatIsNoNumber() throws IOException {
    try (RunLog log = create()) {
      log.add(new RankEvent.Step(1, Double.NaN, 10, 1, Double.POSITIVE_INFINITY, 1));
    }
    assertThat(lines().get(0).get("loss").isNull()).isTrue();
    assertThat(lines().get(0).get("gradient_norm").isNull()).isTrue();
  }

  @Test
  void shouldLeaveNothingBesideTheLog() throws IOException {
    try (RunLog log = create()) {
      log.add(step(1));
    }
    open().close();
    try (var files = Files.list(folder)) {
      assertThat(files).containsExactly(file);
    }
  }

  private RunLog create() throws IOException {
    return RunLog.create(new Configuration(), new org.apache.hadoop.fs.Path(file.toUri()));
  }

  private RunLog open() throws IOException {
    return RunLog.open(new Configuration(), new org.apache.hadoop.fs.Path(file.toUri()));
  }

  private List<JsonNode> lines() throws IOException {
    List<JsonNode> lines = new ArrayList<>();
    for (String line : Files.readAllLines(file)) {
      lines.add(new ObjectMapper().readTree(line));
    }
    return lines;
  }

  private List<Long> stepNumbers() throws IOException {
    return lines().stream().map(line -> line.get("step").asLong()).toList();
  }

  private static RankEvent.Step step(int number) {
    return new RankEvent.Step(number, 5.0 / number, 100, 0.5, 1, 1e-3);
  }
}
