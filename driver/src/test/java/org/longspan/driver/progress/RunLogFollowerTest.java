package org.longspan.driver.progress;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import org.apache.hadoop.conf.Configuration;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.longspan.executors.train.RankEvent;

class RunLogFollowerTest {
  private final Configuration hadoop = new Configuration();
  @TempDir Path folder;
  private RunLogFollower follower;

  @BeforeEach
  void follow() throws IOException {
    follower = RunLogFollower.of(hadoop, folder.resolve("run").toString());
  }

  @Test
  void shouldWaitForAFileThatIsNotThereYet() throws IOException {
    assertThat(follower.news()).isEmpty();
    assertThat(follower.step()).isZero();
  }

  @Test
  void shouldTellEachStepOnceWhileTheRunWrites() throws IOException {
    try (RunLog log = RunLog.create(hadoop, file())) {
      log.add(step(1, 3));
      assertThat(follower.news()).isEmpty();
      log.add(step(2, 2));
      assertThat(numbers(follower.news())).containsExactly(1L);
      assertThat(follower.news()).isEmpty();
      log.add(step(3, 1));
      log.flush();
      assertThat(numbers(follower.news())).containsExactly(2L, 3L);
      assertThat(follower.step()).isEqualTo(3);
    }
  }

  @Test
  void shouldLeaveALineThatIsStillWrittenForTheNextLook() throws IOException {
    String line = StepRecord.of(step(1, 3)).json();
    append(line.substring(0, 20));
    assertThat(follower.news()).isEmpty();
    append(line.substring(20));
    assertThat(follower.news()).isEmpty();
    append("\n");
    assertThat(numbers(follower.news())).containsExactly(1L);
  }

  @Test
  void shouldTellOfAnEarlierStepThatWasValidatedLater() throws IOException {
    try (RunLog log = RunLog.create(hadoop, file())) {
      log.add(step(1, 3));
      log.add(step(2, 2));
      log.flush();
      follower.news();
      log.add(new RankEvent.Validation(1, 4.5, 10));
      List<StepRecord> news = follower.news();
      assertThat(news.get(0).validationLoss()).hasValue(4.5);
      assertThat(numbers(news)).containsExactly(1L, 2L);
    }
  }

  @Test
  void shouldTellOfStepsThatAreDoneAgainAfterACheckpoint() throws IOException {
    try (RunLog log = RunLog.create(hadoop, file())) {
      for (int number = 1; number <= 4; number++) {
        log.add(step(number, 5 - number));
      }
      log.flush();
      assertThat(follower.news()).hasSize(4);
      log.cutAfter(2);
      assertThat(follower.news()).isEmpty();
      assertThat(follower.step()).isEqualTo(2);
      log.add(step(3, 7));
      log.add(step(4, 6));
      log.flush();
      assertThat(follower.news()).extracting(StepRecord::loss).containsExactly(7.0, 6.0);
    }
  }

  /** As long as the old one and longer, but another: a look at its length would not show it. */
  @Test
  void shouldNoticeAReplacedFileThatIsLonger() throws IOException {
    append(StepRecord.of(step(1, 3)).json() + "\n" + StepRecord.of(step(2, 3)).json() + "\n");
    follower.news();
    Files.delete(folder.resolve("run/run.jsonl"));
    append(StepRecord.of(step(1, 3)).json() + "\n");
    append(StepRecord.of(step(2, 9)).json() + "\n" + StepRecord.of(step(3, 8)).json() + "\n");
    assertThat(follower.news()).extracting(StepRecord::loss).containsExactly(9.0, 8.0);
  }

  private static List<Long> numbers(List<StepRecord> records) {
    return records.stream().map(StepRecord::step).toList();
  }

  private static RankEvent.Step step(long number, double loss) {
    return new RankEvent.Step(number, loss, 100, 0.5, 1, 0.01);
  }

  private void append(String text) throws IOException {
    Files.createDirectories(folder.resolve("run"));
    Files.writeString(
        folder.resolve("run/run.jsonl"),
        text,
        StandardOpenOption.CREATE,
        StandardOpenOption.APPEND);
  }

  private org.apache.hadoop.fs.Path file() {
    return new org.apache.hadoop.fs.Path(folder.resolve("run/run.jsonl").toUri());
  }
}
