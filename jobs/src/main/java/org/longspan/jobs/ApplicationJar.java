package org.longspan.jobs;

import java.nio.file.Files;
import java.nio.file.Path;
import org.longspan.datapipeline.InvalidInputException;

/** The one jar that a cluster is given, as the build left it. */
final class ApplicationJar {
  private static final String BUILT = "jobs/target/longspan-application.jar";

  private ApplicationJar() {}

  /** Where it lies on this machine; {@code bin/longspan} says where Longspan is. */
  static Path local() {
    String home = System.getenv("LONGSPAN_HOME");
    Path jar = Path.of(home == null ? "" : home, BUILT).toAbsolutePath();
    if (!Files.isRegularFile(jar)) {
      throw new InvalidInputException(
          "There is no application jar at " + jar + "; build it, or name one with --jar.");
    }
    return jar;
  }
}
