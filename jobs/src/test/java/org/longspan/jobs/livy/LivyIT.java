package org.longspan.jobs.livy;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.longspan.jobs.Waiting;

/** Real runs by way of a real Livy server. */
@ExtendWith(LivyExtension.class)
class LivyIT {
  /** More steps than are done before the test has seen what it wants. */
  private static final String ENDLESS = "train.steps=1000000";

  @Test
  void shouldTrainToTheSameLossesAsWithoutLivy(LivyBed bed) throws Exception {
    CommandProcess submitted = bed.submit("submitted");
    assertThat(submitted.end()).as(submitted.text()).isZero();
    assertThat(submitted.text())
        .contains("named longspan-submitted-", "is running", "Mesh    1 data × 2 sequence")
        .contains("step " + LivyBed.STEPS + "/" + LivyBed.STEPS + "  loss ")
        .contains("checkpoint  " + bed.folder().resolve("submitted/checkpoints/"));
    assertThat(bed.losses("submitted")).hasSize(LivyBed.STEPS).isEqualTo(bed.losses("train"));
  }

  @Test
  void shouldLeaveNothingRunningWhereItIsStopped(LivyBed bed) throws Exception {
    CommandProcess submitted = bed.submit("stopped", "--set", ENDLESS);
    submitted.await("step \\d+/");
    assertThat(bed.server().drivers()).isNotEmpty();
    submitted.process().destroy();
    assertThat(submitted.end()).isNotZero();
    assertThat(submitted.text()).contains("Cancelled batch ", " at Livy");
    Waiting.until("no driver", () -> bed.server().drivers().isEmpty());
  }

  @Test
  void shouldSaySoWhereTheDriverIsKilled(LivyBed bed) throws Exception {
    CommandProcess submitted = bed.submit("killed", "--set", ENDLESS);
    submitted.await("step \\d+/");
    bed.server().drivers().forEach(ProcessHandle::destroyForcibly);
    assertThat(submitted.end()).isEqualTo(1);
    assertThat(submitted.text().lines().filter(line -> line.startsWith("longspan submit failed: ")))
        .singleElement()
        .asString()
        .contains("ended without a word after step ", "killed from outside");
  }

  @Test
  void shouldPassOnWhatLivyRefuses(LivyBed bed) throws Exception {
    Path elsewhere = Files.createFile(bed.folder().resolve("elsewhere.jar"));
    CommandProcess submitted = bed.submit("refused", "--jar", elsewhere.toString());
    assertThat(submitted.end()).isEqualTo(1);
    assertThat(submitted.text())
        .hasLineCount(1)
        .startsWith("longspan submit failed: Livy at " + bed.server().url() + " refuses (400: ")
        .contains(elsewhere.toString());
    assertThat(bed.server().batches()).doesNotContain("longspan-refused");
  }
}
