package org.longspan.jobs;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeFalse;

import java.nio.file.Path;
import java.util.Arrays;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.longspan.executors.opencl.OpenClDevices;

/** The choice among a kernel's forms, as a user sees it. */
class KernelTuningIT {
  private static final String CHOICE =
      "softmax over 32, 1 heads of 8 and 8, 64 tokens on .+: (rows|tiles) of rows [0-9.]+ ms,"
          + " tiles [0-9.]+ ms ";

  @TempDir private Path folder;

  private String bench(String... more) throws Exception {
    String[] arguments = {
      "bench",
      "kernels",
      "--kernels",
      "local",
      "--form",
      "aparapi",
      "--tokens",
      "64",
      "--heads",
      "1",
      "--width",
      "8",
      "--window",
      "32",
      "--repetitions",
      "1"
    };
    String[] all = Arrays.copyOf(arguments, arguments.length + more.length);
    System.arraycopy(more, 0, all, arguments.length, more.length);
    try (CommandProcess process =
        CommandProcess.start(folder, Map.of("XDG_CACHE_HOME", folder.toString()), all)) {
      assertThat(process.end()).as(process.text()).isZero();
      return process.text();
    }
  }

  @Test
  void shouldShowWhatWasMeasuredOfEachFormWhenVerbose() throws Exception {
    assumeFalse(
        OpenClDevices.all().isEmpty(), "no OpenCL device on this machine: Aparapi is not tested");
    Path file = folder.resolve("longspan").resolve("kernels.json");

    String first = bench("--verbose");
    String second = bench("--verbose");
    String silent = bench();

    assertThat(first).containsPattern(CHOICE + "\\(measured now\\)");
    assertThat(file).isRegularFile();
    assertThat(second)
        .containsPattern(CHOICE + "\\(measured before, ")
        .contains("measured before, " + file);
    assertThat(silent).contains("local").doesNotContain("measured before", "measured now");
  }
}
