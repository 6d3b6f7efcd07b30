package org.longspan.jobs.livy;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.jar.JarOutputStream;
import java.util.zip.ZipEntry;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.longspan.jobs.CommandProcess;
import org.longspan.jobs.GuideQuotes;
import org.longspan.jobs.ReferenceRun;
import org.longspan.jobs.Waiting;

/** Real runs by way of a real Livy server. */
@ExtendWith(LivyExtension.class)
class LivyIT {
  /** More steps than are done before the test has seen what it wants. */
  private static final String ENDLESS = "train.steps=1000000";

  @Test
  void shouldTrainToTheSameLossesAsWithoutLivy(LivyBed bed) throws Exception {
    try (CommandProcess submitted = bed.submit("submitted")) {
      assertThat(submitted.end()).as(submitted.text()).isZero();
      assertThat(submitted.text())
          .contains("named longspan-submitted-", "Mesh    1 data × 2 sequence")
          .contains("step " + ReferenceRun.STEPS + "/" + ReferenceRun.STEPS + "  loss ")
          .doesNotContain("libjsig")
          .contains("checkpoint  " + bed.folder().resolve("submitted/checkpoints/"));
    }
    assertThat(bed.losses("submitted")).isEqualTo(bed.reference());
  }

  @Test
  void shouldLeaveNothingRunningWhereItIsStopped(LivyBed bed) throws Exception {
    try (CommandProcess submitted = bed.submit("stopped", "--set", ENDLESS)) {
      // Livy learns of a driver's states late: only of an endless one can all be waited for.
      submitted.await("Batch   \\d+ is running");
      submitted.await("step \\d+/");
      assertThat(bed.server().drivers()).isNotEmpty();
      submitted.process().destroy();
      assertThat(submitted.end()).isNotZero();
      assertThat(submitted.text()).contains("Cancelled batch ", " at Livy");
    }
    Waiting.until("no driver", () -> bed.server().drivers().isEmpty());
  }

  @Test
  void shouldSaySoWhereTheDriverIsKilled(LivyBed bed) throws Exception {
    try (CommandProcess submitted = bed.submit("killed", "--set", ENDLESS)) {
      submitted.await("step \\d+/");
      bed.server().drivers().forEach(ProcessHandle::destroyForcibly);
      assertThat(submitted.end()).isEqualTo(1);
      List<String> said =
          submitted.text().lines().filter(line -> line.startsWith("longspan submit")).toList();
      assertThat(said)
          .singleElement()
          .asString()
          .contains("ended without a word after step ", "killed from outside");
      GuideQuotes.assertQuoted(said.get(0));
    }
  }

  @Test
  void shouldPassOnWhatLivyRefuses(LivyBed bed, @TempDir Path elsewhere) throws Exception {
    Path jar = Files.createFile(elsewhere.resolve("application.jar"));
    try (CommandProcess submitted = bed.submit("refused", "--jar", jar.toString())) {
      assertThat(submitted.end()).isEqualTo(1);
      assertThat(submitted.text())
          .hasLineCount(1)
          .startsWith("longspan submit failed: Livy at " + bed.server().url() + " refuses (400: ")
          .contains(jar.toString());
      GuideQuotes.assertQuoted(submitted.text());
    }
    assertThat(bed.server().batches()).doesNotContain("longspan-refused");
  }

  /** A jar without the program, as one of another build or a damaged one. */
  @Test
  void shouldSayWhatSparkSaysOfAJarWithoutTheProgram(LivyBed bed) throws Exception {
    Path jar = bed.folder().resolve("other.jar");
    try (JarOutputStream empty = new JarOutputStream(Files.newOutputStream(jar))) {
      empty.putNextEntry(new ZipEntry("nothing"));
    }
    try (CommandProcess submitted = bed.submit("other", "--jar", jar.toString())) {
      assertThat(submitted.end()).isEqualTo(1);
      assertThat(submitted.text())
          .contains("longspan submit failed: ", "Failed to load class org.longspan.jobs.Longspan");
    }
  }
}
