package org.longspan.executors.math;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.longspan.executors.JavaProcess;

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
    List<String> all = new ArrayList<>(options);
    all.add("--add-modules=jdk.incubator.vector");
    return JavaProcess.of(all, TierProbe.class, String.valueOf(rounds)).start();
  }

  private static List<String> hashes(Process process) throws IOException, InterruptedException {
    return JavaProcess.output(process).lines().filter(line -> line.startsWith("hash: ")).toList();
  }
}
