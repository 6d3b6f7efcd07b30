package org.longspan.jobs.kubernetes;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;

/** A process that plays a part in a test's cluster, with an unmodified Spark in its environment. */
final class ClusterProcess {
  private ClusterProcess() {}

  /** Starts one, which writes to NAME.log in {@code folder}. */
  static Process start(
      Path folder, String name, Map<String, String> variables, List<String> command)
      throws IOException {
    ProcessBuilder builder = new ProcessBuilder(command);
    Map<String, String> environment = builder.environment();
    List.of("SPARK_TESTING", "SPARK_SCALA_VERSION", "SPARK_CONF_DIR").forEach(environment::remove);
    environment.putIfAbsent("JAVA_HOME", System.getProperty("java.home"));
    environment.put("SPARK_HOME", System.getenv("LONGSPAN_SPARK_HOME"));
    environment.putAll(variables);
    return builder
        .redirectErrorStream(true)
        .redirectOutput(folder.resolve(name + ".log").toFile())
        .start();
  }
}
