package org.longspan.executors.math;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;

/**
 * An OpenBLAS that does not know the processor falls back to a kernel of 2004, at a sixth of the
 * speed, and says nothing.
 */
class BlasTest {
  private static final Pattern CORE = Pattern.compile("Core: (\\S+)");

  @Test
  void shouldUseTheProcessorsOwnKernelOfTheOnePackageThatIsLoaded()
      throws IOException, InterruptedException {
    ProcessBuilder builder =
        new ProcessBuilder(
            List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "--add-modules=jdk.incubator.vector",
                "-cp",
                System.getProperty("java.class.path"),
                BlasProbe.class.getName()));
    // OpenBLAS says which kernel it took when it is loaded, where it is asked to.
    builder.environment().put("OPENBLAS_VERBOSE", "2");
    builder.redirectErrorStream(true);
    Process process = builder.start();
    String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertThat(process.waitFor(2, TimeUnit.MINUTES)).isTrue();
    Matcher core = CORE.matcher(output);
    assertThat(core.find()).as("a line 'Core: …' in: %s", output).isTrue();
    assertThat(core.group(1)).isNotEqualToIgnoringCase("Prescott");
    assertThat(output).contains("packages: 1");
  }
}
