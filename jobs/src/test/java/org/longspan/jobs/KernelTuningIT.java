package org.longspan.jobs;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeFalse;

import java.io.IOException;
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

  private CommandProcess bench(String cache, String... more) throws IOException {
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
    Path folderOfCaches = folder.resolve(cache);
    return CommandProcess.start(folder, Map.of("XDG_CACHE_HOME", folderOfCaches.toString()), all);
  }

  @Test
  void shouldShowWhatWasMeasuredOfEachFormWhenVerbose() throws Exception {
    assumeFalse(
        OpenClDevices.all().isEmpty(), "no OpenCL device on this machine: Aparapi is not tested");
    try (CommandProcess verbose = bench("one", "--verbose");
        CommandProcess silent = bench("other")) {
      assertThat(verbose.end()).as(verbose.text()).isZero();
      assertThat(silent.end()).as(silent.text()).isZero();

      assertThat(verbose.text()).containsPattern(CHOICE + "\\(measured now\\)");
      assertThat(silent.text()).contains("local").doesNotContain("measured now");
    }
    for (String cache : new String[] {"one", "other"}) {
      assertThat(folder.resolve(cache).resolve("longspan").resolve("kernels.json"))
          .content()
          .contains("softmax over 32");
    }
  }
}
