package org.longspan.jobs.livy;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.Test;

class DriverOutputTest {
  @Test
  void shouldTakeOurOwnSentenceBeforeAnybodyElses() {
    assertThat(
            DriverOutput.lastWord(
                List.of(
                    "longspan train: model.widht in run.yaml is unknown.",
                    "java.lang.IllegalStateException: stopped")))
        .hasValue(new DriverOutput.LastWord("model.widht in run.yaml is unknown.", true));
  }

  @Test
  void shouldTellAFailureFromAMistake() {
    assertThat(DriverOutput.lastWord(List.of("longspan train failed: Rank 1: it is lost.")))
        .hasValue(new DriverOutput.LastWord("Rank 1: it is lost.", false));
  }

  @Test
  void shouldTakeWhatSparkOrJavaCallsAFailure() {
    assertThat(
            DriverOutput.lastWord(
                List.of(
                    "26/11/24 19:18:02 ERROR SparkSubmit: Failed to load class org.longspan.Main.",
                    "26/11/24 19:18:02 INFO ShutdownHookManager: Shutdown hook called")))
        .hasValue(new DriverOutput.LastWord("Failed to load class org.longspan.Main.", false));
    assertThat(DriverOutput.lastWord(List.of("Error: Cannot load main class", "\tat a.b")))
        .hasValue(new DriverOutput.LastWord("Error: Cannot load main class", false));
  }

  @Test
  void shouldFindNoWordInALogWithoutOne() {
    assertThat(DriverOutput.lastWord(List.of("26/11/24 INFO DAGScheduler: Job 1", "WARN x: y")))
        .isEmpty();
  }

  @Test
  void shouldShowNoLineOfALibrarys() {
    assertThat(DriverOutput.shown("Mesh    1 data")).isTrue();
    assertThat(DriverOutput.shown("DEFAULT_ENGINE: samediff::ENGINE_CPU")).isFalse();
    assertThat(DriverOutput.shown("step 1/3  loss 2.0")).isFalse();
  }
}
