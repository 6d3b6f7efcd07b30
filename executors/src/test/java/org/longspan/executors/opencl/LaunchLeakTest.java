package org.longspan.executors.opencl;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeFalse;

import java.io.IOException;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.longspan.executors.JavaProcess;

/** Memory over 100,000 launches, and over launchers made and closed, on PoCL. */
class LaunchLeakTest {
  private static final long MOST_BYTES = 24L << 20;

  /** 300 launchers that held their two buffers of 1 MiB would keep six times as much. */
  private static final long MOST_BYTES_OF_LAUNCHERS = 100L << 20;

  @Test
  void shouldHoldNoMoreAfterManyLaunches() throws IOException, InterruptedException {
    assertThat(grown(LaunchLeakProbe.LAUNCHES)).isLessThan(MOST_BYTES);
  }

  @Test
  void shouldHoldNoMoreAfterManyLaunchers() throws IOException, InterruptedException {
    assertThat(grown(LaunchLeakProbe.LAUNCHERS)).isLessThan(MOST_BYTES_OF_LAUNCHERS);
  }

  private static long grown(String mode) throws IOException, InterruptedException {
    assumeFalse(
        OpenClDevices.all().isEmpty(), "no OpenCL device on this machine: launches are not tested");
    List<String> heap = List.of("-Xms512m", "-Xmx512m", "-XX:+AlwaysPreTouch");
    return JavaProcess.output(JavaProcess.of(heap, LaunchLeakProbe.class, mode).start())
        .lines()
        .filter(line -> line.startsWith(LaunchLeakProbe.GROWN))
        .mapToLong(line -> Long.parseLong(line.substring(LaunchLeakProbe.GROWN.length())))
        .findFirst()
        .orElseThrow();
  }
}
