package org.longspan.executors.opencl;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.RepeatedTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.longspan.executors.JavaProcess;

class JavaSignalsTest {
  private static final String LOADER =
      "7f3a1c000000-7f3a1c001000 r-xp 00000000 08:01 42    /lib64/ld-linux-x86-64.so.2\n";

  @TempDir Path folder;

  @Test
  void shouldBeKeptWhereTestsRun() {
    assertThat(JavaSignals.kept()).isTrue();
  }

  @Test
  void shouldBeKnownByTheLibraryInTheProcess() throws IOException {
    Path maps = folder.resolve("maps");
    assertThat(JavaSignals.kept(maps)).isFalse();
    Files.writeString(maps, LOADER);
    assertThat(JavaSignals.kept(maps)).isFalse();
    Files.writeString(maps, LOADER + LOADER.replace("ld-linux-x86-64.so.2", "libjsig.so"));
    assertThat(JavaSignals.kept(maps)).isTrue();
  }

  /** Without the library three of fifteen starts ended by SIGSEGV, on two cores and PoCL 3.1. */
  @RepeatedTest(2)
  void shouldLetThreadsStopAndGoOnAfterDevicesWereListed() throws Exception {
    Path output = folder.resolve("output");
    ProcessBuilder builder = JavaProcess.of(List.of(), StoppedThreads.class);
    builder.environment().put("LD_PRELOAD", JavaSignals.BESIDE_JAVA);
    Process process = builder.redirectOutput(output.toFile()).start();
    assertThat(process.waitFor(2, TimeUnit.MINUTES)).isTrue();
    String text = Files.readString(output, StandardCharsets.UTF_8);
    assertThat(process.exitValue()).as(text).isZero();
    assertThat(text).contains(StoppedThreads.END).doesNotContain("cannot be preloaded");
  }
}
