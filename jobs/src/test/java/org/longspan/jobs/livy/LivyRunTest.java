package org.longspan.jobs.livy;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.longspan.jobs.livy.FakeLivy.ANOTHER;
import static org.longspan.jobs.livy.FakeLivy.AWAY;
import static org.longspan.jobs.livy.FakeLivy.DEAD;
import static org.longspan.jobs.livy.FakeLivy.GONE;
import static org.longspan.jobs.livy.FakeLivy.RUNNING;
import static org.longspan.jobs.livy.FakeLivy.STARTING;
import static org.longspan.jobs.livy.FakeLivy.SUCCESS;
import static org.longspan.jobs.livy.FakeLivy.after;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.apache.hadoop.conf.Configuration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.longspan.datapipeline.InvalidInputException;
import org.longspan.driver.progress.ProgressLine;
import org.longspan.driver.progress.RunLogFollower;
import org.longspan.driver.recovery.RunFailedException;

/**
 * What may go wrong between a run and who waits for it, with a server that misbehaves on demand.
 */
class LivyRunTest {
  private static final String NAME = "longspan-first-0a1b2c3d";
  private static final int STEPS = 3;
  private static final Duration LOOK = Duration.ofMillis(5);

  /** Longer than any of these tests takes. */
  private static final Patience PATIENT = new Patience(LOOK, Duration.ofMinutes(5));

  private static final Patience IMPATIENT = new Patience(LOOK, Duration.ofMillis(50));

  @TempDir Path folder;
  private final ByteArrayOutputStream written = new ByteArrayOutputStream();

  @Test
  void shouldFollowStateLogAndLossToTheEnd() throws IOException {
    try (FakeLivy livy =
        new FakeLivy(
            STARTING, after(() -> logSteps(1), RUNNING), after(() -> logSteps(3), SUCCESS))) {
      livy.output.addAll(List.of("Rank 0  cpu on here", "step 1/3  loss 9.0000"));
      run(livy, PATIENT).run();
      assertThat(text())
          .contains(
              "Batch   0 at " + livy.url() + ", named " + NAME,
              "Batch   0 is running as app-1",
              "Rank 0  cpu on here",
              "step 1/3  loss 2.0000",
              "step 3/3  loss 2.0000",
              "Validation after step 3: loss 1.5000")
          .doesNotContain("loss 9.0000");
      assertThat(livy.submitted.get(0))
          .hasToString(
              "{\"file\":\"hdfs:/app.jar\",\"className\":\"org.longspan.Main\",\"name\":\""
                  + NAME
                  + "\",\"args\":[\"train\"],\"conf\":{\"spark.executor.memory\":\"1g\"}}");
      assertThat(livy.requestedBy).containsOnly("longspan");
    }
  }

  @Test
  void shouldSayEachLineOfTheDriverOnce() throws IOException {
    try (FakeLivy livy = new FakeLivy(RUNNING, RUNNING, RUNNING, SUCCESS)) {
      livy.output.add("Mesh    1 data");
      run(livy, PATIENT).run();
      assertThat(text()).containsOnlyOnce("Mesh    1 data");
    }
  }

  @Test
  void shouldGoOnWhereLivyComesBack() throws IOException {
    try (FakeLivy livy = new FakeLivy(RUNNING, AWAY, AWAY, AWAY, RUNNING, SUCCESS)) {
      run(livy, PATIENT).run();
      assertThat(text())
          .containsOnlyOnce("does not answer")
          .containsOnlyOnce("answers again")
          .contains("following the run's own log " + logFile());
    }
  }

  @Test
  void shouldFollowTheRunsOwnLogWhereLivyCameBackWithoutTheBatch() throws IOException {
    try (FakeLivy livy = new FakeLivy(RUNNING, AWAY, after(() -> logSteps(1), GONE))) {
      Thread rest = new Thread(() -> logWhenForgotten(3));
      rest.start();
      run(livy, PATIENT).run();
      join(rest);
      assertThat(text())
          .contains(
              "Livy has forgotten batch 0 (" + NAME + "); following the run's own log " + logFile(),
              "The run's own log says that all 3 steps are done");
    }
  }

  @Test
  void shouldNotFollowAnotherBatchUnderTheSameNumber() throws IOException {
    try (FakeLivy livy = new FakeLivy(RUNNING, ANOTHER)) {
      livy.output.add("Rank 0  of the other");
      Thread rest = new Thread(() -> logWhenForgotten(3));
      rest.start();
      LivyRun run = run(livy, PATIENT);
      run.run();
      join(rest);
      assertThat(text())
          .contains("its number belongs to 'somebody-else' now")
          .doesNotContain("app-2");
      assertThat(run.cancel()).contains("no longer knows batch 0").contains("app-1");
      assertThat(livy.deleted).isEmpty();
    }
  }

  @Test
  void shouldEndWhereNeitherLivyNorTheRunGivesASign() throws IOException {
    try (FakeLivy livy = new FakeLivy(after(() -> logSteps(2), RUNNING), AWAY)) {
      assertThatThrownBy(run(livy, IMPATIENT)::run)
          .isInstanceOf(RunFailedException.class)
          .hasMessageContaining("Livy does not answer and the run's log " + logFile())
          .hasMessageContaining("after step 2; the run may have ended or hang")
          .hasMessageContaining("app-1");
    }
  }

  @Test
  void shouldSayThatSomebodyDeletedTheBatch() throws IOException {
    try (FakeLivy livy = new FakeLivy(RUNNING, RUNNING, GONE)) {
      assertThatThrownBy(run(livy, PATIENT)::run)
          .isInstanceOf(RunFailedException.class)
          .hasMessage(
              "Somebody else deleted batch 0 ("
                  + NAME
                  + ") at Livy, which ends it before its first step");
    }
  }

  @Test
  void shouldSayTheDriversOwnSentence() throws IOException {
    try (FakeLivy livy = new FakeLivy(RUNNING, DEAD)) {
      livy.errors.addAll(
          List.of(
              "26/11/24 WARN something",
              "longspan train failed: Rank 1 on b is silent in step 3.",
              "26/11/24 INFO ShutdownHookManager: Shutdown hook called"));
      assertThatThrownBy(run(livy, PATIENT)::run)
          .isInstanceOf(RunFailedException.class)
          .hasMessage("Rank 1 on b is silent in step 3.");
    }
  }

  @Test
  void shouldPassOnAMistakeAsOne() throws IOException {
    try (FakeLivy livy = new FakeLivy(DEAD)) {
      livy.errors.add("longspan train: Path 'hdfs:/nowhere' is missing.");
      assertThatThrownBy(run(livy, PATIENT)::run)
          .isInstanceOf(InvalidInputException.class)
          .hasMessage("Path 'hdfs:/nowhere' is missing.");
    }
  }

  @Test
  void shouldSaySoWhereTheDriverWasKilled() throws IOException {
    try (FakeLivy livy = new FakeLivy(after(() -> logSteps(2), RUNNING), DEAD)) {
      livy.errors.add("26/11/24 INFO DAGScheduler: Job 1");
      assertThatThrownBy(run(livy, PATIENT)::run)
          .isInstanceOf(RunFailedException.class)
          .hasMessageContaining("ended without a word after step 2, as one does that was killed");
    }
  }

  @Test
  void shouldSayInOneSentenceWhatLivyRefuses() throws IOException {
    try (FakeLivy livy = new FakeLivy(RUNNING)) {
      livy.refusal = 400;
      livy.refusalText = "{\"msg\":\"requirement failed: Local path /app.jar cannot be added\"}";
      assertThatThrownBy(run(livy, PATIENT)::run)
          .isInstanceOf(RunFailedException.class)
          .hasMessage(
              "Livy at " + livy.url() + " refuses (400: Local path /app.jar cannot be added)");
      livy.refusalText = "<html><pre>    Missing Required Header.</pre></html>";
      assertThatThrownBy(run(livy, PATIENT)::run)
          .hasMessage("Livy at " + livy.url() + " refuses (400: Missing Required Header.)");
      livy.refusalText = "\"Unexpected end\\n at line 1\"";
      assertThatThrownBy(run(livy, PATIENT)::run)
          .hasMessage("Livy at " + livy.url() + " refuses (400: Unexpected end)");
      livy.refusal = 401;
      livy.refusalText = "<html>login</html>";
      assertThatThrownBy(run(livy, PATIENT)::run)
          .hasMessageContaining("does not let you in (401); set LONGSPAN_LIVY_AUTHORIZATION");
      livy.refusal = 200;
      assertThatThrownBy(run(livy, PATIENT)::run).hasMessageContaining("not as Livy does");
      livy.refusal = 404;
      assertThatThrownBy(run(livy, PATIENT)::run).hasMessageContaining("it knows no batches (404)");
    }
  }

  /** As Livy 0.7 does: the refused batch keeps a number, and is about to start for ever. */
  @Test
  void shouldNotLeaveARefusedBatchBehind() throws IOException {
    try (FakeLivy livy = new FakeLivy(STARTING)) {
      livy.refusal = 400;
      livy.refusalText = "{\"msg\":\"no\"}";
      livy.keepsRefused = true;
      assertThatThrownBy(run(livy, PATIENT)::run).hasMessageContaining("refuses (400: no)");
      assertThat(livy.deleted).containsExactly("0");
    }
  }

  @Test
  void shouldSaySoWhereNobodyListens() throws IOException {
    int unused;
    try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      unused = socket.getLocalPort();
    }
    assertThatThrownBy(run("http://127.0.0.1:" + unused, PATIENT)::run)
        .isInstanceOf(RunFailedException.class)
        .hasMessageContaining("cannot be reached")
        .hasMessageContaining("nothing was submitted");
  }

  @Test
  void shouldFindItsBatchWhereTheAnswerWasLost() throws IOException {
    try (FakeLivy livy = new FakeLivy(RUNNING, SUCCESS)) {
      livy.submissionAnswerLost = true;
      run(livy, PATIENT).run();
      assertThat(livy.submitted).hasSize(1);
      assertThat(text()).contains("Batch   0 at ");
    }
  }

  @Test
  void shouldDeleteItsBatchWhereItIsCancelled() throws IOException {
    LivyRun[] run = new LivyRun[1];
    String[] said = new String[1];
    try (FakeLivy livy =
        new FakeLivy(
            RUNNING, after(() -> said[0] = cancelOnce(run, said), RUNNING), RUNNING, GONE)) {
      run[0] = run(livy, PATIENT);
      assertThatThrownBy(run[0]::run).hasMessageContaining("was cancelled");
      assertThat(said[0]).isEqualTo("Cancelled batch 0 (" + NAME + ") at Livy");
      assertThat(livy.deleted).containsExactly("0");
    }
  }

  @Test
  void shouldSayThatNothingIsThereToCancel() throws IOException {
    try (FakeLivy livy = new FakeLivy(RUNNING)) {
      assertThat(run(livy, PATIENT).cancel()).isEqualTo("Cancelled before Livy had a batch");
      assertThat(livy.deleted).isEmpty();
    }
  }

  @Test
  void shouldRefuseWhatIsNoAddress() {
    for (String url : List.of("livy:8998", "ftp://livy", "http://", "http://a b")) {
      assertThatThrownBy(() -> LivyClient.of(url, Optional.empty()))
          .isInstanceOf(InvalidInputException.class)
          .hasMessageContaining("--url is '" + url + "'");
    }
  }

  private static String cancelOnce(LivyRun[] run, String[] said) {
    return said[0] != null ? said[0] : run[0].cancel();
  }

  private LivyRun run(FakeLivy livy, Patience patience) throws IOException {
    return run(livy.url(), patience);
  }

  private LivyRun run(String url, Patience patience) throws IOException {
    return new LivyRun(
        LivyClient.of(url, Optional.empty()),
        new BatchRequest(
            "hdfs:/app.jar",
            "org.longspan.Main",
            NAME,
            List.of("train"),
            Map.of("spark.executor.memory", "1g")),
        RunLogFollower.of(new Configuration(), folder.toString()),
        logFile(),
        STEPS,
        new ProgressLine(new PrintStream(written, true, StandardCharsets.UTF_8), true, STEPS),
        patience);
  }

  /** Makes the run's log hold the steps up to {@code last}. */
  private synchronized void logSteps(int last) {
    StringBuilder lines = new StringBuilder();
    for (int step = 1; step <= last; step++) {
      lines.append(
          """
          {"step":%d,"loss":2.0,"tokens":100,"seconds":0.5,"gradient_norm":1.0,"learning_rate":0.1%s}
          """
              .formatted(step, step == STEPS ? ",\"validation_loss\":1.5" : ""));
    }
    try {
      Files.writeString(
          folder.resolve("run.jsonl"),
          lines,
          StandardOpenOption.CREATE,
          StandardOpenOption.TRUNCATE_EXISTING,
          StandardOpenOption.WRITE);
    } catch (IOException failure) {
      throw new UncheckedIOException(failure);
    }
  }

  /** The run goes on when nobody at Livy looks any more. */
  private void logWhenForgotten(int last) {
    try {
      while (!text().contains("Livy has forgotten")) {
        Thread.sleep(LOOK.toMillis());
      }
    } catch (InterruptedException interrupted) {
      Thread.currentThread().interrupt();
    }
    logSteps(last);
  }

  private static void join(Thread thread) {
    try {
      thread.join();
    } catch (InterruptedException interrupted) {
      Thread.currentThread().interrupt();
    }
  }

  private String logFile() {
    return folder.resolve("run.jsonl").toString();
  }

  private String text() {
    return written.toString(StandardCharsets.UTF_8);
  }
}
