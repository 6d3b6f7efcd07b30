package org.longspan.executors.math;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.longspan.executors.JavaProcess;

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
        JavaProcess.of(List.of("--add-modules=jdk.incubator.vector"), BlasProbe.class);
    // OpenBLAS says which kernel it took when it is loaded, where it is asked to.
    builder.environment().put("OPENBLAS_VERBOSE", "2");
    String output = JavaProcess.output(builder.start());
    Matcher core = CORE.matcher(output);
    assertThat(core.find()).as("a line 'Core: …' in: %s", output).isTrue();
    assertThat(core.group(1)).isNotEqualToIgnoringCase("Prescott");
    assertThat(output).contains("packages: 1");
  }
}
