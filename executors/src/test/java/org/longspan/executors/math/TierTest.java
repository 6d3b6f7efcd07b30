package org.longspan.executors.math;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

/**
 * A JVM interprets a method, then compiles it with one compiler and then with another, when it
 * likes: results that ranks must share bit for bit may not depend on it.
 */
class TierTest {
  private static final List<String> INTERPRETED = List.of("-Xint");
  private static final List<String> FIRST_COMPILER = List.of("-XX:TieredStopAtLevel=1", "-Xbatch");

  /** Through all tiers in the few rounds that a test has time for. */
  private static final List<String> ALL_TIERS =
      List.of("-Xbatch", "-XX:CompileThresholdScaling=0.05");

  @Test
  void shouldFindTheSameBitsInterpretedAndCompiled() throws IOException, InterruptedException {
    Process interpreted = start(INTERPRETED, 1);
    Process compiled = start(FIRST_COMPILER, 5);
    Process throughAllTiers = start(ALL_TIERS, 10);
    try {
      List<String> bits = hashes(interpreted);
      assertThat(bits).hasSize(1);
      assertThat(hashes(compiled)).isEqualTo(bits);
      assertThat(hashes(throughAllTiers)).isEqualTo(bits);
    } finally {
      interpreted.destroyForcibly();
      compiled.destroyForcibly();
      throughAllTiers.destroyForcibly();
    }
  }

  private static Process start(List<String> options, int rounds) throws IOException {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.addAll(options);
    command.addAll(
        List.of(
            "--add-modules=jdk.incubator.vector",
            "-cp",
            System.getProperty("java.class.path"),
            TierProbe.class.getName(),
            String.valueOf(rounds)));
    return new ProcessBuilder(command).redirectErrorStream(true).start();
  }

  private static List<String> hashes(Process process) throws IOException, InterruptedException {
    String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertThat(process.waitFor(2, TimeUnit.MINUTES)).isTrue();
    assertThat(process.exitValue()).as(output).isZero();
    return output.lines().filter(line -> line.startsWith("hash: ")).toList();
  }
}
